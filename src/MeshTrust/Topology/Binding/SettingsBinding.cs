using System.Security;
using MeshTrust.Topology.Documents;
using MeshTrust.Topology.Values;

namespace MeshTrust.Topology.Binding;

/// <summary>Binds all sources once; collects problems and throws at the end.</summary>
internal sealed class SettingsBinding(
    IReadOnlyList<KeyValuePair<string, string?>> arguments,
    IReadOnlyDictionary<string, string> environment,
    Func<string, string> readFile,
    IReadOnlyCollection<string> otherArguments)
{
    private readonly ProblemCollection _problems = new();

    /// <summary>The settings.</summary>
    /// <exception cref="MeshTrustException">With all problems.</exception>
    public MeshTrustSettings Bind()
    {
        var given = new ArgumentSet(arguments, environment, otherArguments, _problems);
        EnvironmentVariables.TellNearMisses(environment, _problems);
        var file = given.Read<string>("topology", NameReaders.FilePath);
        var istioCompat = given.Switch("istio-compat");
        var document = file is null ? null : Read(file, istioCompat);
        var run = Run(given, document) with { IstioCompat = istioCompat, TopologyFile = file?.Value };
        var provider = given.Read<ProviderChoice>("provider", ValueReaders.Provider)?.Value ?? document?.Provider ?? ProviderChoice.Auto;
        var clusters = new ClusterChoice(given, _problems).Choose(document, Contexts(provider));
        var topology = new MeshTopology
        {
            Name = document?.Name ?? "mesh",
            Clusters = clusters,
            Trust = new TrustChoice(given, _problems).Choose(document),
            Provider = provider,
            Mode = given.Read<DataPlaneMode>("mode", ValueReaders.Choice)?.Value ?? document?.Mode ?? DataPlaneMode.Sidecar,
        };
        if (clusters.Count > 0)
        {
            foreach (var problem in TopologyValidator.Validate(topology, document?.Clusters is null ? null : document.Place)) _problems.Add(problem);
        }

        if (_problems.HasErrors) throw new MeshTrustException(Stage.Input, [.. _problems.Errors, .. _problems.Warnings]);
        return new MeshTrustSettings { Topology = topology, Run = run, Warnings = _problems.Warnings };
    }

    private IReadOnlyList<string> Contexts(ProviderChoice provider) => provider is ProviderChoice.Embedded or ProviderChoice.Native ? [] : EnvironmentVariables.Contexts(environment, _problems);

    private TopologyDocument? Read(Given<string> file, bool istioCompat)
    {
        var place = Shown.Plain(file.Value, 400);
        try
        {
            return TopologyDocument.Parse(place, readFile(file.Value) ?? "", environment, istioCompat, _problems);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or SecurityException or InvalidDataException)
        {
            var why = fault is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : Shown.Plain(fault.Message, 200).TrimEnd('.');
            _problems.Add("MT0101", place, $"The topology file cannot be read: {why}.", $"Give {file.Place} the path of a readable file, from the directory you run in.");
            return null;
        }
    }

    private RunSpec Run(ArgumentSet given, TopologyDocument? document)
    {
        var work = given.Read<string>("work-dir", NameReaders.FilePath)?.Value ?? RunSpec.DefaultWorkDirectory;
        var output = given.Read<OutputFormat>("output", ValueReaders.Choice)?.Value ?? OutputFormat.Auto;
        return new RunSpec
        {
            WorkDirectory = work,
            CertsDirectory = given.Read<string>("certs-dir", NameReaders.FilePath)?.Value ?? Path.Combine(work, "certs"),
            ArtifactsDirectory = given.Read<string>("artifacts", NameReaders.FilePath)?.Value ?? Path.Combine(work, "artifacts"),
            Parallel = given.Read<int?>("parallel", ValueReaders.Parallel)?.Value,
            Timeout = given.Read<TimeSpan>("timeout", ValueReaders.Timeout)?.Value ?? document?.Timeout ?? new RunSpec().Timeout,
            Output = output == OutputFormat.Auto ? EnvironmentVariables.Pipeline(environment) : output,
            Color = given.Read<ColorChoice>("color", ValueReaders.Choice)?.Value ?? EnvironmentVariables.Color(environment),
            Force = given.Switch("force"),
            AcceptOutage = given.Switch("accept-outage"),
            Strict = given.Switch("strict"),
            KubeconfigPaths = EnvironmentVariables.KubeconfigPaths(environment),
        };
    }
}
