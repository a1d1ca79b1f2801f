"""What ails people and what is done about it: a modest set of true codes with the ages and sexes they befall."""

from __future__ import annotations

from dataclasses import dataclass

from masking.sample.codes import CVX, HL7, ICD10, LOINC, RXNORM, SNOMED, Concept, concept, raw


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug and how it is taken."""

    concept: Concept
    sig: str
    chronic: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition: whom it befalls, whether it stays, and what is given for it."""

    concept: Concept
    low: int
    high: int
    sex: str | None
    chronic: bool
    drugs: tuple[Drug, ...] = ()


def _drug(code: str, display: str, sig: str, chronic: bool = True) -> Drug:
    return Drug(concept(RXNORM, code, display), sig, chronic)


def _problem(
    snomed: str, icd10: str, display: str, who: tuple[int, int, str | None], chronic: bool, *drugs: Drug
) -> Problem:
    both = concept(SNOMED, snomed, display, (ICD10, icd10, display))
    return Problem(both, *who, chronic, drugs)


_DAILY = "Take 1 tablet by mouth once daily"
LISINOPRIL = _drug("314076", "lisinopril 10 MG Oral Tablet", _DAILY)
AMLODIPINE = _drug("197361", "amlodipine 5 MG Oral Tablet", _DAILY)
METFORMIN = _drug(
    "860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", "Take 1 tablet with the evening meal"
)
SIMVASTATIN = _drug("314231", "simvastatin 10 MG Oral Tablet", "Take 1 tablet by mouth at bedtime")
ALBUTEROL = _drug("245314", "albuterol 5 MG/ML Inhalation Solution", "Inhale by nebulizer every 6 hours as needed")
AMOXICILLIN = _drug("308192", "amoxicillin 500 MG Oral Tablet", "Take 1 tablet every 8 hours for 10 days", False)
ACETAMINOPHEN = _drug("313782", "acetaminophen 325 MG Oral Tablet", "Take 2 tablets every 6 hours as needed", False)
IBUPROFEN = _drug("310965", "ibuprofen 200 MG Oral Tablet", "Take 1 tablet every 6 hours with food", False)
ASPIRIN = _drug("243670", "aspirin 81 MG Oral Tablet", _DAILY)
WARFARIN = _drug("855332", "warfarin sodium 5 MG Oral Tablet", _DAILY)
METOPROLOL = _drug("866412", "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet", _DAILY)
FUROSEMIDE = _drug("313988", "furosemide 40 MG Oral Tablet", _DAILY)
LEVOTHYROXINE = _drug("966222", "levothyroxine sodium 0.075 MG Oral Tablet", "Take 1 tablet before breakfast")
SERTRALINE = _drug("312941", "sertraline 50 MG Oral Tablet", _DAILY)
OMEPRAZOLE = _drug("198051", "omeprazole 20 MG Delayed Release Oral Capsule", "Take 1 capsule before breakfast")
DONEPEZIL = _drug("997223", "donepezil hydrochloride 10 MG Oral Tablet", "Take 1 tablet at bedtime")

ADULT = (18, 200, None)
HYPERTENSION = _problem("59621000", "I10", "Essential hypertension", (35, 200, None), True, LISINOPRIL, AMLODIPINE)
DIABETES = _problem("44054006", "E11.9", "Diabetes mellitus type 2", (40, 200, None), True, METFORMIN)
OBESITY = _problem("162864005", "E66.9", "Body mass index 30+ - obesity", (18, 80, None), True)

PROBLEMS = (
    HYPERTENSION,
    DIABETES,
    OBESITY,
    _problem("55822004", "E78.5", "Hyperlipidemia", (35, 200, None), True, SIMVASTATIN),
    _problem("195967001", "J45.909", "Asthma", (4, 70, None), True, ALBUTEROL),
    _problem("13645005", "J44.9", "Chronic obstructive lung disease", (50, 200, None), True, ALBUTEROL),
    _problem("35489007", "F32.A", "Depressive disorder", (14, 200, None), True, SERTRALINE),
    _problem("53741008", "I25.10", "Coronary arteriosclerosis", (50, 200, None), True, ASPIRIN, METOPROLOL),
    _problem("84114007", "I50.9", "Heart failure", (60, 200, None), True, FUROSEMIDE, METOPROLOL),
    _problem("49436004", "I48.91", "Atrial fibrillation", (60, 200, None), True, WARFARIN),
    _problem("396275006", "M19.90", "Osteoarthritis", (50, 200, None), True, IBUPROFEN),
    _problem("64859006", "M81.0", "Osteoporosis", (60, 200, "female"), True),
    _problem("40930008", "E03.9", "Hypothyroidism", (25, 200, "female"), True, LEVOTHYROXINE),
    _problem("235595009", "K21.9", "Gastroesophageal reflux disease", (25, 200, None), True, OMEPRAZOLE),
    _problem("26929004", "G30.9", "Alzheimer's disease", (75, 200, None), True, DONEPEZIL),
    _problem("399068003", "C61", "Malignant tumor of prostate", (60, 200, "male"), True),
    _problem("254837009", "C50.919", "Malignant neoplasm of breast", (45, 200, "female"), True),
    _problem("24079001", "L20.9", "Atopic dermatitis", (1, 30, None), True),
    _problem("37796009", "G43.909", "Migraine", (14, 60, None), True, IBUPROFEN),
    _problem("195662009", "J02.9", "Acute viral pharyngitis", (1, 70, None), False, ACETAMINOPHEN),
    _problem("10509002", "J20.9", "Acute bronchitis", (2, 200, None), False, ACETAMINOPHEN),
    _problem("65363002", "H66.90", "Otitis media", (1, 10, None), False, AMOXICILLIN),
    _problem("68566005", "N39.0", "Urinary tract infectious disease", (16, 200, "female"), False, AMOXICILLIN),
    _problem("233604007", "J18.9", "Pneumonia", (1, 200, None), False, AMOXICILLIN),
    _problem("44465007", "S93.409A", "Sprain of ankle", (6, 70, None), False, IBUPROFEN),
    _problem("110030002", "S06.0X0A", "Concussion injury of brain", (5, 200, None), False, ACETAMINOPHEN),
    _problem("279039007", "M54.50", "Low back pain", (18, 200, None), False, IBUPROFEN),
    _problem("387712008", "P59.9", "Neonatal jaundice", (0, 0, None), False),
    _problem("72892002", "Z34.90", "Normal pregnancy", (18, 44, "female"), False),
)


@dataclass(frozen=True, slots=True)
class Lab:
    """A measurement: its code, unit, decimals, and where healthy values lie."""

    concept: Concept
    unit: str
    places: int
    low: float
    high: float


def _lab(code: str, display: str, unit: str, places: int, healthy: tuple[float, float]) -> Lab:
    return Lab(concept(LOINC, code, display), unit, places, *healthy)


GLUCOSE = _lab("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", 1, (70, 100))
A1C = _lab("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 2, (4.4, 5.7))
PSA = _lab("2857-1", "Prostate specific Ag [Mass/volume] in Serum or Plasma", "ng/mL", 2, (0.2, 4.0))
BASIC = (
    concept(LOINC, "51990-0", "Basic metabolic panel - Blood"),
    (
        GLUCOSE,
        _lab("6299-2", "Urea nitrogen [Mass/volume] in Blood", "mg/dL", 0, (7, 20)),
        _lab("38483-4", "Creatinine [Mass/volume] in Blood", "mg/dL", 2, (0.6, 1.3)),
        _lab("49765-1", "Calcium [Mass/volume] in Blood", "mg/dL", 2, (8.5, 10.2)),
        _lab("2947-0", "Sodium [Moles/volume] in Blood", "mmol/L", 1, (136, 144)),
        _lab("6298-4", "Potassium [Moles/volume] in Blood", "mmol/L", 2, (3.6, 5.2)),
    ),
)
LIPIDS = (
    concept(LOINC, "57698-3", "Lipid panel with direct LDL - Serum or Plasma"),
    (
        _lab("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "mg/dL", 1, (150, 240)),
        _lab("2571-8", "Triglyceride [Mass/volume] in Serum or Plasma", "mg/dL", 1, (70, 200)),
        _lab("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma", "mg/dL", 2, (40, 75)),
    ),
)
BLOOD_COUNT = (
    concept(LOINC, "58410-2", "CBC panel - Blood by Automated count"),
    (
        _lab("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 2, (4.5, 11.0)),
        _lab("789-8", "Erythrocytes [#/volume] in Blood by Automated count", "10*6/uL", 2, (4.1, 5.7)),
        _lab("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 1, (12.0, 17.0)),
        _lab("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 0, (150, 400)),
    ),
)
PANELS = (BASIC, LIPIDS, BLOOD_COUNT)

#: CVX code, display, and the ages it is given at.
VACCINES = (
    (concept(CVX, "08", "Hep B, adolescent or pediatric"), 0, 1),
    (concept(CVX, "20", "DTaP"), 1, 6),
    (concept(CVX, "03", "MMR"), 1, 12),
    (concept(CVX, "62", "HPV, quadrivalent"), 11, 26),
    (concept(CVX, "115", "Tdap"), 11, 80),
    (concept(CVX, "140", "Influenza, seasonal, injectable, preservative free"), 1, 200),
    (concept(CVX, "33", "pneumococcal polysaccharide PPV23"), 65, 200),
    (concept(CVX, "121", "zoster vaccine, live"), 60, 200),
)
PROCEDURES = (
    (concept(SNOMED, "430193006", "Medication reconciliation"), 0, 200, None),
    (concept(SNOMED, "710824005", "Assessment of health and social care needs"), 16, 200, None),
    (concept(SNOMED, "399208008", "Plain X-ray of chest"), 3, 200, None),
    (concept(SNOMED, "29303009", "Electrocardiographic procedure"), 30, 200, None),
    (concept(SNOMED, "73761001", "Colonoscopy"), 45, 85, None),
    (concept(SNOMED, "71651007", "Mammography"), 40, 80, "female"),
    (concept(SNOMED, "171207006", "Depression screening"), 12, 200, None),
)
ALLERGENS = (
    concept(RXNORM, "1191", "Aspirin"),
    concept(RXNORM, "7980", "Penicillin G"),
    concept(SNOMED, "762952008", "Peanut"),
    concept(SNOMED, "256277009", "Grass pollen"),
    concept(SNOMED, "260152009", "Cat dander"),
    concept(SNOMED, "111088007", "Latex"),
)
IMPLANTS = (
    (concept(SNOMED, "14106009", "Cardiac pacemaker"), 50),
    (concept(SNOMED, "304120007", "Total hip replacement prosthesis"), 55),
    (concept(SNOMED, "337414009", "Blood glucose meter"), 18),
)

#: Kinds of encounter: class, type, and how often.
CLASSES = {
    code: raw({"system": f"{HL7}v3-ActCode", "code": code, "display": display})
    for code, display in (
        ("AMB", "ambulatory"),
        ("EMER", "emergency"),
        ("IMP", "inpatient encounter"),
        ("VR", "virtual"),
    )
}
VISIT_TYPES = {
    "AMB": concept(SNOMED, "185349003", "Encounter for check up"),
    "EMER": concept(SNOMED, "50849002", "Emergency room admission"),
    "IMP": concept(SNOMED, "183452005", "Emergency hospital admission"),
    "VR": concept(SNOMED, "185317003", "Telephone encounter"),
}
