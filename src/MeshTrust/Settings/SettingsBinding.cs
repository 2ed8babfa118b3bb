using System.Security;

namespace MeshTrust.Settings;

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
        var asked = given.Read<ProviderWord>("provider", ValueReaders.Provider)?.Value;
        var provider = (asked ?? document?.Provider)?.Choice ?? ProviderChoice.Auto;
        var run = Run(given, document, provider) with { IstioCompat = istioCompat, TopologyFile = file?.Value };
        var named = new ClusterChoice(given, _problems).Choose(document, Contexts(provider));
        var isExisting = provider == ProviderChoice.Auto && named.All(c => c.Context is not null || c.Kubeconfig is not null);
        var mayBeKind = provider == ProviderChoice.Kind || (provider == ProviderChoice.Auto && (!isExisting || NamesMergedKubeconfig(run)));
        var hosting = new KindChoice(given, mayBeKind, _problems);
        var topology = new MeshTopology
        {
            Name = document?.Name ?? "mesh",
            Clusters = hosting.Choose(named, document is not { IsWhole: false }),
            Trust = new TrustChoice(given, _problems).Choose(document),
            Provider = provider,
            Mode = given.Read<DataPlaneMode>("mode", ValueReaders.Choice)?.Value ?? document?.Mode ?? DataPlaneMode.Sidecar,
            Kind = hosting.Choose(document, asked?.Engine),
        };
        if (named.Count > 0)
        {
            foreach (var problem in TopologyValidator.Validate(topology, Location(topology, document, hosting), key => hosting.PlaceOf(key) ?? document?.KeyPlace(key) ?? key)) _problems.Add(problem);
            if (!mayBeKind) hosting.TellWithoutEffect(document, topology.EffectiveProvider);
        }

        if (_problems.HasErrors) throw new MeshTrustException(Stage.Input, [.. _problems.Errors, .. _problems.Warnings]);
        return new MeshTrustSettings { Topology = topology, Run = run, Warnings = _problems.Warnings };
    }

    /// <summary>Whether <c>KUBECONFIG</c> looks like the one that an earlier run exported: then the contexts that are named may be our own kind clusters.</summary>
    private static bool NamesMergedKubeconfig(RunSpec run) =>
        run.KubeconfigPaths is [var only] && Path.GetFileName(only) == "merged"
        && Path.GetFileName(Path.GetDirectoryName(only)) is { } directory && (directory == "kubeconfig" || directory == Path.GetFileName(run.KubeconfigDirectory));

    private static Func<int, string, string> Location(MeshTopology topology, TopologyDocument? document, KindChoice hosting) => (index, key) =>
        hosting.PlaceOf(key) ?? (document?.Clusters is null ? topology.Clusters[index].Name.Value : document.Location(index, key));

    private IReadOnlyList<string?> Contexts(ProviderChoice provider) => MakesClusters(provider) ? [] : EnvironmentVariables.Contexts(environment, _problems);

    private static bool MakesClusters(ProviderChoice provider) => provider is ProviderChoice.Kind or ProviderChoice.Embedded or ProviderChoice.Native;

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
            _problems.Add("MT0101", place, $"The topology file cannot be read: {why}.", $"Give {file.Location} the path of a readable file, from the directory you run in.");
            return null;
        }
    }

    private RunSpec Run(ArgumentSet given, TopologyDocument? document, ProviderChoice provider)
    {
        var work = given.Read<string>("work-dir", NameReaders.FilePath)?.Value ?? RunSpec.DefaultWorkDirectory;
        var isRead = !MakesClusters(provider) || given.IsBare("merge-kubeconfig") == true;
        var own = EnvironmentVariables.KubeconfigPaths(environment, isRead ? _problems : null);
        var isCurrent = given.Switch("set-current");
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
            BinariesVersion = given.Read<string>("binaries-version", NameReaders.Line)?.Value,
            BinariesIndex = given.Read<Uri>("binaries-index", NameReaders.WebAddress)?.Value,
            Offline = given.Switch("offline"),
            Adopt = given.Switch("adopt"),
            SkipCleanup = given.Switch("skip-cleanup"),
            KubeconfigDirectory = given.Read<string>("kubeconfig-dir", NameReaders.FilePath)?.Value ?? Path.Combine(work, "kubeconfig"),
            MergeKubeconfig = MergeTarget(given, own, isCurrent),
            SetCurrent = isCurrent,
            KubeconfigPaths = own,
        };
    }

    /// <summary>The user's own kubeconfig where the argument stands bare: the first of <c>KUBECONFIG</c>, as kubectl writes it.</summary>
    private string? MergeTarget(ArgumentSet given, IReadOnlyList<string> own, bool isCurrent)
    {
        const string Name = "merge-kubeconfig";
        var isBare = given.IsBare(Name);
        if (isCurrent && (isBare == false || !given.IsGiven(Name)))
        {
            _problems.Add("MT0010", "--set-current", $"It is given without --{Name}.", $"Add --{Name}: only a kubeconfig of your own has a current context to set.");
        }

        if (isBare is null && given.IsGiven(Name)) return given.Read<string>(Name, NameReaders.FilePath)?.Value;
        if (isBare == true && own.Count == 0 && string.IsNullOrEmpty(environment.GetValueOrDefault("KUBECONFIG"))) _problems.Add("MT0003", given.Location(Name), "It has no value, and there is neither KUBECONFIG nor a home directory.", $"Write --{Name}=FILE.");
        return isBare == true && own.Count > 0 ? own[0] : null;
    }
}
