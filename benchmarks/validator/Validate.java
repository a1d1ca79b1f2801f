import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.IntStream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.utilities.http.ManagedWebAccess;

/**
 * Validates resources, one JSON text a line of standard input, and writes a line for each fault:
 *
 * <pre>number of the line (from 0) TAB severity TAB kind of message TAB path</pre>
 *
 * and at the end, for each kind that was met, {@code # TAB kind TAB text}, where the text has {0} and the like for values.
 * A message itself may quote the document, so none is ever written, nor what HAPI's paths say of ids.
 */
public class Validate {
  public static void main(String[] arguments) throws Exception {
    // It would ask HL7's servers for packages, which helps nobody here and takes seconds each time.
    ManagedWebAccess.setAccessPolicy(ManagedWebAccess.WebAccessPolicy.PROHIBITED);
    FhirContext context = FhirContext.forR4();
    FhirInstanceValidator module = new FhirInstanceValidator(new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context)));
    module.setAnyExtensionsAllowed(true);
    module.setErrorForUnknownProfiles(false);
    FhirValidator validator = context.newValidator().registerValidatorModule(module);

    List<String> documents = new ArrayList<>();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      documents.add(line);
    }
    PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    Set<String> kinds = new ConcurrentSkipListSet<>();
    IntStream.range(0, documents.size()).parallel().forEach(number -> {
      StringBuilder lines = new StringBuilder();
      try {
        for (SingleValidationMessage message : validator.validateWithResult(documents.get(number)).getMessages()) {
          if (message.getSeverity() != ResultSeverityEnum.INFORMATION) {
            String kind = message.getMessageId() == null ? "(no kind)" : message.getMessageId();
            kinds.add(kind);
            lines.append(line(number, message.getSeverity().getCode(), kind, message.getLocationString()));
          }
        }
      } catch (RuntimeException error) {
        lines.append(line(number, "fatal", error.getClass().getSimpleName(), ""));
      }
      synchronized (output) {
        output.print(lines);
      }
    });
    for (String kind : kinds) {
      output.print("#\t" + kind + "\t" + text(kind) + "\n");
    }
    output.flush();
  }

  /** A path such as {@code Patient.contained[0]/*Organization/17*}{@code /.name} without what stands between slashes. */
  private static String line(int number, String severity, String kind, String path) {
    String place = path == null ? "" : path.replaceAll("/\\*.*?\\*/", "").replaceAll("[\\t\\r\\n]", " ");
    return number + "\t" + severity + "\t" + kind + "\t" + place + "\n";
  }

  private static String text(String kind) {
    ResourceBundle texts = ResourceBundle.getBundle("Messages", Locale.ROOT);
    for (String form : List.of("", "_one", "_other")) {
      if (texts.containsKey(kind + form)) {
        return texts.getString(kind + form).replaceAll("\\s+", " ");
      }
    }
    return "";
  }
}
