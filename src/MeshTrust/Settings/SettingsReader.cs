using System.Net;
using System.Security;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Reads all sources once, the weaker before the stronger; collects problems and throws at the end.</summary>
internal sealed class SettingsReader(
    IReadOnlyList<KeyValuePair<string, string?>> arguments,
    IReadOnlyDictionary<string, string> environment,
    Func<string, string> readFile,
    IReadOnlyCollection<string> otherArguments,
    bool refusesUnknown)
{
    private const string EngineVariable = "KIND_EXPERIMENTAL_PROVIDER";

    private readonly ProblemCollection _problems = new();
    private readonly SettingsDraft _draft = new();
    private ArgumentSet _given = null!;

    /// <summary>The settings.</summary>
    /// <exception cref="MeshTrustException">With all problems.</exception>
    public MeshTrustSettings Read()
    {
        _given = new ArgumentSet(arguments, environment, otherArguments, _problems, refusesUnknown);
        EnvironmentVariables.WarnOfNearMisses(environment, _problems);
        _draft.Run = _draft.Run with { Color = EnvironmentVariables.Color(environment) };
        Setting<SettingsDraft>[] first = [SettingsTable.Topology, SettingsTable.IstioCompat];
        Take(first);
        if (_draft.Run.TopologyFile is { } file) ReadFile(file);
        var engineInFile = _draft.Engine;
        _draft.Engine = null;
        Take(SettingsTable.All.Rows.Where(row => !row.IsForKind).Except(first));
        FinishRun();
        var clusters = Clusters(MakesClusters ? [] : EnvironmentVariables.Contexts(environment, _problems));
        var mayBeKind = MayBeKind(clusters);
        // Variables of kind count only where the clusters may turn out to be kind's: they may be set for other programs.
        Take(SettingsTable.All.Rows.Where(row => row.IsForKind && (mayBeKind || _given.IsGiven(row.Argument ?? ""))));
        var isEngineOpen = _draft.Engine is null && mayBeKind;
        var engine = isEngineOpen ? _given.Variable<ContainerEngineChoice>(EngineVariable, ValueParsers.Engine) : null;
        ChooseKubernetes();
        CheckOwnRoot();
        var topology = new MeshTopology
        {
            Name = _draft.Name,
            Clusters = WithArguments(clusters),
            Trust = _draft.Trust,
            Provider = _draft.Provider,
            Mode = _draft.Mode,
            Kind = _draft.Kind with { Engine = _draft.Engine ?? engine?.Value ?? engineInFile ?? ContainerEngineChoice.Auto },
        };
        if (clusters.Count > 0)
        {
            var found = TopologyValidator.Validate(topology, (index, key) => PlaceOf(topology, index, key), PlaceOf);
            foreach (var problem in found) _problems.Add(problem);
            if (!mayBeKind) WarnOfNoEffect(topology.EffectiveProvider);
        }

        if (_problems.HasErrors) throw new MeshTrustException(Stage.Input, [.. _problems.Errors, .. _problems.Warnings]);
        return new MeshTrustSettings { Topology = topology, Run = _draft.Run, Warnings = _problems.Warnings };
    }

    private bool MakesClusters => _draft.Provider is ProviderChoice.Kind or ProviderChoice.Embedded or ProviderChoice.Native;

    /// <summary>Each setting's argument, else its variable, over what the file or the default said.</summary>
    private void Take(IEnumerable<Setting<SettingsDraft>> settings)
    {
        foreach (var setting in settings)
        {
            if (setting.Take(_given, _draft) is { } provided) _draft.Provided[setting.Argument!] = provided;
        }
    }

    private void ReadFile(string file)
    {
        var place = Text.Sanitize(file, 400);
        try
        {
            new TopologyFile(place, environment, _problems).Read(readFile(file) ?? "", _draft);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException
            or NotSupportedException or SecurityException or InvalidDataException)
        {
            var isMissing = fault is FileNotFoundException or DirectoryNotFoundException;
            var why = isMissing ? "there is no such file" : Text.Sanitize(fault.Message, 200).TrimEnd('.');
            var source = _draft.Provided[SettingsTable.Topology.Argument!].Location;
            var remedy = $"Give {source} the path of a readable file, from the directory you run in.";
            _problems.Add("MT0101", place, $"The topology file cannot be read: {why}.", remedy);
        }
    }

    private void FinishRun()
    {
        var isRead = !MakesClusters || _given.IsBare("merge-kubeconfig") == true;
        var own = EnvironmentVariables.KubeconfigPaths(environment, isRead ? _problems : null);
        _draft.Run = _draft.Run with
        {
            KubeconfigPaths = own,
            MergeKubeconfig = MergeTarget(own),
            Output = _draft.Run.Output == OutputFormat.Auto ? EnvironmentVariables.Pipeline(environment) : _draft.Run.Output,
        };
    }

    /// <summary>The user's own kubeconfig where the argument is bare: the first of <c>KUBECONFIG</c>, as kubectl writes it.</summary>
    private string? MergeTarget(IReadOnlyList<string> own)
    {
        const string Name = "merge-kubeconfig";
        var isBare = _given.IsBare(Name);
        if (_draft.Run.SetCurrent && (isBare == false || !_given.IsGiven(Name)))
        {
            _problems.Add(
                "MT0010", "--set-current", $"It is given without --{Name}.",
                $"Add --{Name}: only a kubeconfig of your own has a current context to set.");
        }

        if (isBare is null) return _given.Read<string>(SettingsTable.Find(Name)!, ValueParsers.FilePath)?.Value;
        if (isBare == true && own.Count == 0 && string.IsNullOrEmpty(environment.GetValueOrDefault("KUBECONFIG")))
        {
            _problems.Add(
                "MT0003", _given.Location(Name), "It has no value, and there is neither KUBECONFIG nor a home directory.",
                $"Write --{Name}=FILE.");
        }

        return isBare == true && own.Count > 0 ? own[0] : null;
    }

    /// <summary>The clusters with their contexts; empty where the file's are all broken.</summary>
    private List<ClusterSpec> Clusters(IReadOnlyList<string?> contexts)
    {
        var (count, names) = (_draft.Provided.GetValueOrDefault("clusters"), _draft.Provided.GetValueOrDefault("cluster-names"));
        List<ClusterSpec> clusters;
        if (_draft.Clusters is { } listed)
        {
            clusters = [.. listed.Where(c => c.HasName).Select(c => c.ToSpec(_draft.Defaults))];
            if (_draft.IsWhole) CheckAgainst(clusters, count, names);
        }
        else
        {
            if (names is not null && count is { IsArgument: true } && _draft.Count != _draft.Names!.Count)
            {
                var what = $"It asks for {_draft.Count} clusters, and {names.Location} names {_draft.Names.Count}.";
                _problems.Add("MT0011", count.Location, what, $"Leave {count.Location} out, or name as many.");
            }

            const int Usual = 2;
            var number = _draft.Count ?? (contexts.Count > 0 ? Math.Min(contexts.Count, ClusterName.Most) : Usual);
            var chosen = _draft.Names ?? ClusterName.Numbered(number);
            clusters = [.. chosen.Select(n => new ClusterSpec { Name = n, Kind = _draft.Defaults })];
        }

        if (contexts.Skip(clusters.Count).Any(c => c is not null) && _draft.IsWhole)
        {
            var there = clusters.Count == 1 ? "is 1 cluster" : $"are {clusters.Count} clusters";
            _problems.Add(
                "MT0013", $"CTX_CLUSTER{clusters.Count + 1}", $"It names a context, and there {there}.", "Unset it, or add the cluster.");
        }

        // One that is wrong stands in as itself, so that nothing more is said of it.
        return [.. clusters.Select((c, i) => i < contexts.Count ? c with { Context = contexts[i] ?? $"CTX_CLUSTER{i + 1}" } : c)];
    }

    // The file says more of each cluster than a number or a name does, so neither may quietly throw that away.
    private void CheckAgainst(List<ClusterSpec> listed, ProvidedValue? count, ProvidedValue? names)
    {
        if (count is not null && _draft.Count != listed.Count)
        {
            var what = $"It asks for {_draft.Count} clusters, and the topology file lists {listed.Count}.";
            _problems.Add("MT0011", count.Location, what, $"Leave {count.Location} out, or list them in the file.");
        }

        if (names is not null && !_draft.Names!.SequenceEqual(listed.Select(c => c.Name)))
        {
            _problems.Add(
                "MT0011", names.Location, "It names other clusters than the topology file.",
                $"Leave {names.Location} out, or name them in the file.");
        }
    }

    /// <summary>Whether the clusters may turn out to be kind's, as far as settings can know.</summary>
    private bool MayBeKind(List<ClusterSpec> clusters)
    {
        if (_draft.Provider != ProviderChoice.Auto) return _draft.Provider == ProviderChoice.Kind;
        if (!clusters.All(c => c.Context is not null || c.Kubeconfig is not null)) return true;

        // KUBECONFIG looks like the one that an earlier run exported: then the contexts may be those of kind clusters that MeshTrust made.
        return _draft.Run.KubeconfigPaths is [var only] && Path.GetFileName(only) == "merged"
            && Path.GetFileName(Path.GetDirectoryName(only)) is { } directory
            && (directory == "kubeconfig" || directory == Path.GetFileName(_draft.Run.KubeconfigDirectory));
    }

    /// <summary>A version and an image say the same thing, so the one that is nearer to the user displaces the other.</summary>
    private void ChooseKubernetes()
    {
        var (version, image) = (_draft.Provided.GetValueOrDefault("k8s-release"), _draft.Provided.GetValueOrDefault("node-image"));
        if (version is null && image is null) return;
        if (version is not null && image is not null && version.IsArgument == image.IsArgument)
        {
            _problems.Add(
                "MT0011", image.Location, $"It names a node image, and {version.Location} a Kubernetes version.",
                "Leave one of the two out.");
        }

        var isVersion = image is null || version is { IsArgument: true };
        _draft.Kind = isVersion ? _draft.Kind with { NodeImage = null } : _draft.Kind with { KubernetesVersion = null };
    }

    private void CheckOwnRoot()
    {
        if (_given.IsGiven("rootca-cert") != _given.IsGiven("rootca-key"))
        {
            var (there, lacking) = _given.IsGiven("rootca-cert") ? ("--rootca-cert", "--rootca-key") : ("--rootca-key", "--rootca-cert");
            _problems.Add("MT0010", there, $"It is given without {lacking}.", $"Add {lacking}: a root of your own needs both.");
        }

        if (_draft is { OwnRoot: not null, OwnRootKey: not null })
        {
            _draft.Trust = _draft.Trust with { RootCertificateFile = _draft.OwnRoot, RootKeyFile = _draft.OwnRootKey };
        }

        if (_draft.Trust is not { RootCertificateFile: not null, RootKeyFile: not null }) return;
        string[] unused = ["rootca-cn", "rootca-org", "rootca-days", "rootca-keysz"];
        foreach (var name in unused.Where(_given.IsGiven))
        {
            _problems.Add(
                "MT0011", $"--{name}", "It describes a root to be made, and a root of your own is given.",
                $"Leave --{name} out, or let MeshTrust make the root.");
        }
    }

    private List<ClusterSpec> WithArguments(List<ClusterSpec> clusters)
    {
        var pods = OfEach(_draft.PodSubnets, "pod-subnet", clusters.Count);
        var services = OfEach(_draft.ServiceSubnets, "service-subnet", clusters.Count);
        return [.. clusters.Select((c, i) => c with
        {
            PodSubnets = pods is null ? c.PodSubnets : pods[i],
            ServiceSubnets = services is null ? c.ServiceSubnets : services[i],
            Kind = _draft.Workers is null ? c.Kind : c.Kind with { Workers = _draft.Workers },
        })];
    }

    private IReadOnlyList<IReadOnlyList<IPNetwork>>? OfEach(IReadOnlyList<IReadOnlyList<IPNetwork>>? subnets, string name, int clusters)
    {
        if (subnets is null || subnets.Count == clusters) return subnets;
        var what = $"It has ranges for {subnets.Count} clusters, and there {(clusters == 1 ? "is 1" : $"are {clusters}")}.";
        if (_draft.IsWhole)
        {
            _problems.Add("MT0011", _draft.Provided[name].Location, what, "Write one for each cluster, or auto in its place.");
        }

        return null;
    }

    /// <summary>Where the user said something about a key of the n-th cluster.</summary>
    private string PlaceOf(MeshTopology topology, int index, string key)
    {
        var argument = key switch { "podSubnet" => "pod-subnet", "serviceSubnet" => "service-subnet", _ => "" };
        if (_draft.Provided.TryGetValue(argument, out var provided)) return provided.Location;
        var inFile = _draft.Clusters?.Where(c => c.HasName).ElementAt(index);
        return inFile is null ? topology.Clusters[index].Name.Value : inFile.PlaceOf(key);
    }

    /// <summary>
    /// Where the user said something about a key of kind clusters: an argument or a variable, the file, or a key above it in the file.
    /// </summary>
    private string PlaceOf(string key)
    {
        var setting = SettingsTable.All.Rows.FirstOrDefault(row => row.Path == key || (row.Path is null && row.Argument == key));
        if (setting?.Argument is { } argument && _draft.Provided.TryGetValue(argument, out var provided)) return provided.Location;
        for (var path = setting?.Path ?? ""; path.Length > 0; path = path[..Math.Max(path.LastIndexOf('.'), 0)])
        {
            if (_draft.Places.TryGetValue(path, out var place)) return place;
        }

        return key;
    }

    /// <summary>Warns once of everything that has no effect with the provider.</summary>
    private void WarnOfNoEffect(ProviderChoice provider)
    {
        var given = from row in SettingsTable.All.Rows
                    where row is { IsForKind: true, Argument: not null } && _given.IsGiven(row.Argument)
                    select _given.Location(row.Argument!);
        (string Name, string Location)[] unused = [.. given.Select(a => (a, a)), .. _draft.KindKeys];
        if (unused.Length == 0) return;
        const int Few = 12;
        var names = string.Join(", ", unused.Select(u => u.Name).Take(Few)) + (unused.Length > Few ? ", …" : "");
        _problems.Warn(
            "MT0118", unused[0].Location, $"This is for kind clusters and has no effect with the provider {Text.Lower(provider)}: {names}.",
            "Leave it in for runs with the provider kind, or take it out.");
    }
}
