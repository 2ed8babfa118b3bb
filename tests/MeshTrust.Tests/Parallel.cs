// Fixtures run side by side. [NonParallelizable] is for those that touch what the whole process has once: the console, the directory, the variables.
[assembly: Parallelizable(ParallelScope.Fixtures)]
