"""What a file of an export holds, whatever its name says, and how the rows of a table become documents. No Spark.

`content` tells by a file's first bytes what it is; `parquet` reads rows of a Parquet file as JSON documents; `columns`
finds the column that holds them.
"""
