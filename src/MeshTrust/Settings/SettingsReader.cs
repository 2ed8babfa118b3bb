using System.Net;
using System.Security;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Reads all sources once, in ascending precedence; collects all problems and throws at the end.</summary>
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
        // Variables of kind are read only if the clusters may be kind clusters: they may be set for other programs.
        Take(SettingsTable.All.Rows.Where(row => row.IsForKind && (mayBeKind || _given.IsGiven(row.Argument ?? ""))));
        var isEngineOpen = _draft.Engine is null && mayBeKind;
        var engine = isEngineOpen ? _given.Variable<ContainerEngineChoice>(EngineVariable, ValueParsers.Engine) : null;
        ChooseKubernetes();
        CheckOwnRoot();
        var intermediate = _draft.Intermediate;
        if (ReferenceEquals(intermediate.DnsNames, TrustSpec.Default.Intermediate.DnsNames))
            _draft.Intermediate = intermediate with { DnsNames = [$"istiod.{_draft.Trust.Namespace}.svc"] };
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

    /// <summary>Applies each setting's argument, else its variable, over the file and the default.</summary>
    private void Take(IEnumerable<Setting<SettingsDraft>> settings)
    {
        foreach (var setting in settings)
            if (setting.Take(_given, _draft) is { } provided) _draft.Provided[setting.Argument!] = provided;
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
            var why = isMissing ? "file not found" : Text.Sanitize(fault.Message, 200).TrimEnd('.');
            var source = _draft.Provided[SettingsTable.Topology.Argument!].Location;
            var remedy = $"Set {source} to the path of a readable file; a relative path starts at the working directory.";
            _problems.Add("MT0101", place, $"Cannot read the topology file: {why}.", remedy);
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
            _problems.Add("MT0010", "--set-current", $"Requires --{Name}.",
                $"Add --{Name}: --set-current sets the current context of that kubeconfig.");
        }

        if (isBare is null) return _given.Read<string>(SettingsTable.Find(Name)!, ValueParsers.FilePath)?.Value;
        if (isBare == true && own.Count == 0 && string.IsNullOrEmpty(environment.GetValueOrDefault("KUBECONFIG")))
        {
            _problems.Add("MT0003", _given.Location(Name), "Missing value: neither KUBECONFIG nor a home directory is set.",
                $"Use --{Name}=FILE.");
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
                var (many, missing) = (_draft.Names.Count, _draft.Count - _draft.Names.Count);
                var what = $"{count.Location}={_draft.Count} conflicts with the {Text.Count(many, "name")} in {names.Location}.";
                var change = missing switch { 1 => "add a name", > 1 => $"add {missing} names", _ => $"change it to {many}" };
                _problems.Add("MT0011", count.Location, what, $"Remove {count.Location} or {change}.");
            }

            const int Usual = 2;
            var number = _draft.Count ?? (contexts.Count > 0 ? Math.Min(contexts.Count, ClusterName.Most) : Usual);
            var chosen = _draft.Names ?? ClusterName.Numbered(number);
            clusters = [.. chosen.Select(n => new ClusterSpec { Name = n, Kind = _draft.Defaults })];
        }

        if (contexts.Skip(clusters.Count).Any(c => c is not null) && _draft.IsWhole)
        {
            var what = $"No cluster for this context: the mesh has {Text.Count(clusters.Count, "cluster")}.";
            _problems.Add("MT0013", $"CTX_CLUSTER{clusters.Count + 1}", what, "Unset it, or add the cluster.");
        }

        var known = clusters.ConvertAll(c => c.Name.Value);
        var named = _draft.Run.ApiServers.Keys.Select(n => (Argument: "--api-server", Name: n))
            .Concat(_draft.Run.Clusters.Select(c => (Argument: "--cluster", Name: c.Value)));
        foreach (var (argument, stranger) in named.Where(n => _draft.IsWhole && !known.Contains(n.Name)))
        {
            var meant = argument == "--cluster" && int.TryParse(stranger, out _) ? $"For the number of clusters use --clusters={stranger}. "
                : NearestName.Find(stranger, known) is { } near ? $"Did you mean '{near}'? " : "";
            var hint = $"{meant}The clusters are {string.Join(", ", known.Take(12))}{(known.Count > 12 ? ", ..." : "")}.";
            _problems.Add("MT0023", argument, $"The mesh has no cluster {Text.Quote(stranger)}.", hint);
        }

        // A context that is invalid is replaced by its variable's name, so that it causes no further problem.
        return [.. clusters.Select((c, i) => i < contexts.Count ? c with { Context = contexts[i] ?? $"CTX_CLUSTER{i + 1}" } : c)];
    }

    // The file says more about each cluster than a number or a name does, so neither may silently override it.
    private void CheckAgainst(List<ClusterSpec> listed, ProvidedValue? count, ProvidedValue? names)
    {
        if (count is not null && _draft.Count != listed.Count)
        {
            var what = $"{count.Location}={_draft.Count} conflicts with the {Text.Count(listed.Count, "cluster")} in the topology file.";
            var remove = count.IsArgument ? "Remove" : "Unset";
            _problems.Add("MT0011", count.Location, what, $"{remove} {count.Location}, or change the clusters in the file.");
        }

        if (names is not null && !_draft.Names!.SequenceEqual(listed.Select(c => c.Name)))
        {
            _problems.Add("MT0011", names.Location, "The names differ from those in the topology file.",
                $"Remove {names.Location}, or change the names in the file.");
        }
    }

    /// <summary>Whether the clusters may be kind clusters, as far as the settings show.</summary>
    private bool MayBeKind(List<ClusterSpec> clusters)
    {
        if (_draft.Provider != ProviderChoice.Auto) return _draft.Provider == ProviderChoice.Kind;
        if (!clusters.All(c => c.Context is not null || c.Kubeconfig is not null)) return true;

        // KUBECONFIG looks like one exported by an earlier run: its contexts may be kind clusters created by MeshTrust.
        return _draft.Run.KubeconfigPaths is [var only] && Path.GetFileName(only) == "merged"
            && Path.GetFileName(Path.GetDirectoryName(only)) is { } directory
            && (directory == "kubeconfig" || directory == Path.GetFileName(_draft.Run.KubeconfigDirectory));
    }

    /// <summary>A version and an image set the same thing, so an argument overrides a variable or a key of the other.</summary>
    private void ChooseKubernetes()
    {
        var (version, image) = (_draft.Provided.GetValueOrDefault("k8s-release"), _draft.Provided.GetValueOrDefault("node-image"));
        if (version is null && image is null) return;
        if (version is not null && image is not null && version.IsArgument == image.IsArgument)
        {
            _problems.Add("MT0011", image.Location, $"Sets a node image, but {version.Location} sets a Kubernetes version.",
                "Remove one of the two.");
        }

        var isVersion = image is null || version is { IsArgument: true };
        _draft.Kind = isVersion ? _draft.Kind with { NodeImage = null } : _draft.Kind with { KubernetesVersion = null };
    }

    private void CheckOwnRoot()
    {
        if (_given.IsGiven("rootca-cert") != _given.IsGiven("rootca-key"))
        {
            var (there, lacking) = _given.IsGiven("rootca-cert") ? ("--rootca-cert", "--rootca-key") : ("--rootca-key", "--rootca-cert");
            _problems.Add("MT0010", there, $"Requires {lacking}.", $"Add {lacking}: your own root CA needs both files.");
        }

        if (_draft is { OwnRoot: not null, OwnRootKey: not null })
            _draft.Trust = _draft.Trust with { RootCertificateFile = _draft.OwnRoot, RootKeyFile = _draft.OwnRootKey };

        if (_draft.Trust is not { RootCertificateFile: not null, RootKeyFile: not null }) return;
        string[] unused = ["rootca-cn", "rootca-org", "rootca-days", "rootca-keysz"];
        foreach (var name in unused.Where(_given.IsGiven))
        {
            _problems.Add("MT0011", $"--{name}", "Describes a root CA to create, but you provide your own.",
                $"Remove --{name}, or let MeshTrust create the root CA.");
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
        var what = $"Has ranges for {Text.Count(subnets.Count, "cluster")}, but the mesh has {clusters}.";
        if (_draft.IsWhole)
            _problems.Add("MT0011", _draft.Provided[name].Location, what, "Give one range per cluster, or auto to let MeshTrust choose.");
        return null;
    }

    /// <summary>Where the user set a key of the n-th cluster.</summary>
    private string PlaceOf(MeshTopology topology, int index, string key)
    {
        var argument = key switch { "podSubnet" => "pod-subnet", "serviceSubnet" => "service-subnet", _ => "" };
        if (_draft.Provided.TryGetValue(argument, out var provided)) return provided.Location;
        var inFile = _draft.Clusters?.Where(c => c.HasName).ElementAt(index);
        return inFile is null ? topology.Clusters[index].Name.Value : inFile.PlaceOf(key);
    }

    /// <summary>Where the user set a key of kind clusters: an argument or a variable, the file, or a parent key in the file.</summary>
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

    /// <summary>Warns once about everything that has no effect with the provider.</summary>
    private void WarnOfNoEffect(ProviderChoice provider)
    {
        var given = from row in SettingsTable.All.Rows
                    where row is { IsForKind: true, Argument: not null } && _given.IsGiven(row.Argument)
                    select _given.Location(row.Argument!);
        (string Name, string Location)[] unused = [.. given.Select(a => (a, a)), .. _draft.KindKeys];
        if (unused.Length == 0) return;
        const int Few = 12;
        var names = string.Join(", ", unused.Select(u => u.Name).Take(Few)) + (unused.Length > Few ? ", …" : "");
        _problems.Warn("MT0118", unused[0].Location,
            $"These settings are only for kind clusters and have no effect with the provider {Text.Lower(provider)}: {names}.",
            "Remove them, unless other runs use the provider kind.");
    }
}
