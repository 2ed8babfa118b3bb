using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>The configuration a cluster really runs with, read back from it: kind silently skips a patch of another version.</summary>
internal sealed record EffectiveConfig
{
    /// <summary>The owner of a planned setting that the user did not name.</summary>
    private const string Own = "MeshTrust";

    /// <summary><c>data.ClusterConfiguration</c> of the ConfigMap <c>kube-system/kubeadm-config</c>; null if it was not read.</summary>
    public string? ClusterConfiguration { get; init; }

    /// <summary>
    /// The command of each control-plane component's container (program and flags), by component: <c>kube-apiserver</c> and so on.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Commands { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>containerd's configuration (<c>/etc/containerd/config.toml</c>), by node.</summary>
    public IReadOnlyDictionary<string, string> Containerd { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Planned settings that did not take effect, as far as they were read: MT2316 a kubeadm setting, a flag, a range or a name in the API
    /// server's certificate, MT2318 containerd's registry folder. A setting from the user's own patch is a warning.
    /// </summary>
    public IReadOnlyList<Problem> Missing(KindPlan plan) => [.. Flags(plan), .. Kubeadm(plan), .. Registries(plan)];

    private IEnumerable<Problem> Flags(KindPlan plan)
    {
        foreach (var flag in plan.Flags)
        {
            if (!Commands.TryGetValue(flag.Component, out var command)) continue;
            var prefix = $"--{flag.Name}=";
            // If a flag is repeated, the last one counts.
            var value = command.LastOrDefault(a => a.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
            var there = value is null ? $"no --{flag.Name}" : prefix + value;
            if (value != flag.Value)
                yield return Setting(plan, $"{flag.Component} runs with {there}, expected {prefix}{flag.Value}.", Own);
        }
    }

    private List<Problem> Kubeadm(KindPlan plan)
    {
        if (ClusterConfiguration is null) return [];
        YamlMappingNode there;
        try
        {
            there = Normal(KindYaml.Read(ClusterConfiguration));
        }
        catch (FormatException e)
        {
            return [Setting(plan, $"kubeadm's configuration cannot be read back: {e.Message}.", Own)];
        }

        var values = KindYaml.Leaves(there, isHashed: false).ToLookup(l => l.Path, l => l.Value);
        (string Owner, string Path, string Wanted)[] planned =
        [
            (Own, "networking.podSubnet", string.Join(',', plan.Shape.PodSubnets)),
            (Own, "networking.serviceSubnet", string.Join(',', plan.Shape.ServiceSubnets)),
            .. from owned in plan.KubeadmPatches
               where (KindYaml.Value(owned.Patch, "kind") as YamlScalarNode)?.Value == "ClusterConfiguration"
               from leaf in KindYaml.Leaves(Normal(owned.Patch), isHashed: false)
               where leaf.Path is not ("kind" or "apiVersion") && !leaf.Path.StartsWith("metadata.", StringComparison.Ordinal)
               select (owned.Owner, leaf.Path, leaf.Value),
        ];
        return
        [
            .. from one in planned
               where !values[one.Path].Contains(one.Wanted)
               let value = values[one.Path].FirstOrDefault("not set")
               select Setting(plan, $"kubeadm has {one.Path} {value}, expected {one.Wanted}.", one.Owner),
        ];
    }

    private IEnumerable<Problem> Registries(KindPlan plan) =>
        from node in Containerd.OrderBy(c => c.Key, StringComparer.Ordinal)
        where plan.HasRegistryFolder && !node.Value.Split('\n').Any(NamesRegistryFolder)
        select new Problem(ProblemCodes.RegistriesNotConfigured, node.Key,
            node.Value.Length == 0 ? "containerd's configuration is empty."
                : $"containerd is not configured to read {KindConfig.RegistryFolder}, so the node does not know the registries.",
            "Use a node image of kind 0.27 or later, or set config_path with a containerdConfigPatch for the image's containerd version.",
            Severity.Warning);

    private static bool NamesRegistryFolder(string line) =>
        line.TrimStart().StartsWith("config_path", StringComparison.Ordinal)
            && line.Contains(KindConfig.RegistryFolder, StringComparison.Ordinal);

    /// <summary>
    /// The same shape for both forms: flags are a mapping up to v1beta3 and a list of name and value from v1beta4; certSANs are a set.
    /// </summary>
    private static YamlMappingNode Normal(YamlMappingNode map)
    {
        var result = new YamlMappingNode();
        foreach (var (key, value) in map.Children)
        {
            result.Add(KindYaml.Copy(key), (KindYaml.Key(key), value) switch
            {
                ("extraArgs" or "kubeletExtraArgs", YamlSequenceNode list) => Arguments(list),
                ("certSANs", YamlSequenceNode list) => Set(list),
                (_, YamlMappingNode inner) => Normal(inner),
                _ => KindYaml.Copy(value),
            });
        }

        return result;
    }

    private static YamlMappingNode Set(YamlSequenceNode list) => new(
        from name in list.Children.OfType<YamlScalarNode>().Select(s => s.Value ?? "").Distinct()
        select KeyValuePair.Create<YamlNode, YamlNode>(name, "present"));

    private static YamlMappingNode Arguments(YamlSequenceNode list)
    {
        var result = new YamlMappingNode();
        foreach (var item in list.Children.OfType<YamlMappingNode>())
        {
            if (KindYaml.Value(item, "name") is { } name && KindYaml.Value(item, "value") is { } value)
                result.Children[KindYaml.Copy(name)] = KindYaml.Copy(value);
        }

        return result;
    }

    private static Problem Setting(KindPlan plan, string what, string owner) => new("MT2316", plan.Cluster.Value,
        $"A planned setting did not take effect: {what}",
        owner == Own ? "Report it with your kind and Kubernetes versions. The cluster may still work."
            : $"Check the patch in {owner}: kubeadm drops unknown keys, and kind skips a patch of another apiVersion.",
        owner == Own ? Severity.Error : Severity.Warning);
}
