"""Chapter 04: internal covariate shift, claims S1 to S3 (Santurkar 2018)."""

TOPIC = "covariate shift on trial"
QUESTION = "Does BatchNorm work because it keeps the inputs of the layers stable?"
