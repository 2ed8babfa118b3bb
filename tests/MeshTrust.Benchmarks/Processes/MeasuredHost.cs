namespace MeshTrust.Benchmarks.Processes;

/// <summary>The build program and the repository that it belongs to.</summary>
/// <param name="Assembly">Build.dll.</param>
/// <param name="Repository">The folder of build.sh.</param>
internal sealed record MeasuredHost(string Assembly, string Repository)
{
    /// <summary>Finds both.</summary>
    /// <param name="asked">The program to measure; null for the one that this solution compiles.</param>
    /// <exception cref="ChildFailedException">It is not there.</exception>
    public static MeasuredHost Find(string? asked)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var configuration = here.Parent!.Name;
        for (var repository = here; repository is not null; repository = repository.Parent)
        {
            if (!File.Exists(Path.Combine(repository.FullName, "MeshTrust.slnx"))) continue;
            var assembly = Path.GetFullPath(asked ?? Path.Combine("build", "bin", configuration, here.Name, "Build.dll"), repository.FullName);
            return File.Exists(assembly) ? new(assembly, repository.FullName) : throw new ChildFailedException($"{assembly} is not there: build the solution first.");
        }

        throw new ChildFailedException($"No MeshTrust.slnx is above {here.FullName}: run this from where the repository compiles it.");
    }

    /// <summary>The host as a separate process, on embedded clusters, with its state in a directory.</summary>
    public ChildCommand Run(string target, string workDirectory, params IEnumerable<string> more) =>
        new(Dotnet, [Assembly, .. Arguments(target, workDirectory), .. more], Repository);

    /// <summary>The host on kind clusters of these names, without load balancers, whose images are not available everywhere.</summary>
    public ChildCommand RunOnKind(string target, string workDirectory, IReadOnlyList<string> clusters, string? image) =>
        new(Dotnet, [Assembly, $"--target={target}", "--provider=kind", $"--cluster-names={string.Join(',', clusters)}", "--lb=none", .. image is null ? [] : new[] { $"--node-image={image}" }, $"--work-dir={workDirectory}", "--output=plain"], Repository);

    /// <summary>The same through build.sh.</summary>
    public ChildCommand RunThroughEntry(string target, string workDirectory) =>
        new(Path.Combine(Repository, "build.sh"), Arguments(target, workDirectory), Repository);

    /// <summary>This program as a separate process, for what no target does.</summary>
    public static ChildCommand OfThisProgram(params IEnumerable<string> arguments) =>
        new(Dotnet, [typeof(MeasuredHost).Assembly.Location, .. arguments], AppContext.BaseDirectory);

    /// <summary>The dotnet that runs this program, whether it was started by dotnet or by its own launcher.</summary>
    private static string Dotnet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet"
        ? path
        : ChildProcess.OnPath("dotnet") ?? throw new ChildFailedException("dotnet is not on the PATH.");

    private static string[] Arguments(string target, string workDirectory) =>
        [$"--target={target}", "--provider=embedded", $"--work-dir={workDirectory}", "--output=plain"];
}
