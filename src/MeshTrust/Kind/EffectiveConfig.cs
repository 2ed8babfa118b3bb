using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>What a cluster really runs with, as it was read back: kind skips a patch that does not fit without a word.</summary>
internal sealed record EffectiveConfig
{
    /// <summary>The warning that containerd does not look where registries are described.</summary>
    public const string RegistriesId = "MT2318";

    /// <summary><c>data.ClusterConfiguration</c> of the ConfigMap <c>kube-system/kubeadm-config</c>; null where it was not read.</summary>
    public string? ClusterConfiguration { get; init; }

    /// <summary>
    /// The command of each control-plane component's container (program and flags), by component: <c>kube-apiserver</c> and so on.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Commands { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>containerd's configuration (<c>/etc/containerd/config.toml</c>), by node.</summary>
    public IReadOnlyDictionary<string, string> Containerd { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// What was planned and did not take effect, as far as it was read: MT2316 a kubeadm setting, a flag, a range or a name in the API
    /// server's certificate, MT2318 containerd's registry folder. What the user's own patches wanted is a warning.
    /// </summary>
    public IReadOnlyList<Problem> Missing(KindPlan plan)
    {
        return [.. Flags(plan), .. Kubeadm(plan), .. Registries(plan)];
    }

    private IEnumerable<Problem> Flags(KindPlan plan)
    {
        foreach (var flag in plan.Flags)
        {
            if (!Commands.TryGetValue(flag.Component, out var command)) continue;
            var prefix = $"--{flag.Name}=";
            // Of a flag that stands twice the last counts.
            var value = command.LastOrDefault(a => a.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
            if (value != flag.Value)
                yield return Setting(plan,
                $"{flag.Component} runs with {(value is null ? $"no --{flag.Name}" : prefix + value)}, planned is {prefix}{flag.Value}.",
                "MeshTrust");
        }
    }

    private IEnumerable<Problem> Kubeadm(KindPlan plan)
    {
        if (ClusterConfiguration is null) yield break;
        YamlMappingNode there;
        Problem? unreadable = null;
        try
        {
            there = KindYaml.Read(ClusterConfiguration);
        }
        catch (FormatException e)
        {
            (there, unreadable) = ([], Setting(plan, $"kubeadm's own configuration cannot be read back: {e.Message}.", "MeshTrust"));
        }

        if (unreadable is not null)
        {
            yield return unreadable;
            yield break;
        }

        var values = KindYaml.Leaves(Normal(there), isHashed: false).ToLookup(l => l.Path, l => l.Value);
        foreach (var (key, wanted) in new[] { ("networking.podSubnet", plan.Shape.PodSubnets),
            ("networking.serviceSubnet", plan.Shape.ServiceSubnets) })
        {
            var value = values[key].FirstOrDefault();
            if (value != string.Join(',', wanted))
                yield return Setting(plan, $"kubeadm has {key} {value ?? "not set"}, planned is {string.Join(',', wanted)}.", "MeshTrust");
        }

        foreach (var (owner, patch) in plan.KubeadmPatches.Where(p => (KindYaml.Value(p.Patch, "kind") as YamlScalarNode)
            ?.Value == "ClusterConfiguration"))
        {
            foreach (var (path, wanted) in KindYaml.Leaves(Normal(patch), isHashed: false)
                .Where(l => l.Path is not ("kind" or "apiVersion") && !l.Path.StartsWith("metadata.", StringComparison.Ordinal)))
            {
                if (!values[path].Contains(wanted))
                    yield return Setting(plan, $"kubeadm has {path} {values[path].FirstOrDefault() ?? "not set"}, planned is {wanted}.",
                    owner);
            }
        }
    }

    private IEnumerable<Problem> Registries(KindPlan plan)
    {
        if (!plan.HasRegistryFolder) yield break;
        foreach (var (node, text) in Containerd.Where(c => !c.Value.Split('\n')
            .Any(l => l.TrimStart().StartsWith("config_path", StringComparison.Ordinal)
            && l.Contains(KindConfig.RegistryFolder, StringComparison.Ordinal))).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            yield return new Problem(RegistriesId, node,
                text.Length == 0 ? "containerd's configuration is empty."
                    : $"containerd was not told to look into {KindConfig.RegistryFolder}, so the node does not know the registries.",
                "Use a node image of kind 0.27 or later, or set config_path by a containerdConfigPatch of the image's own version.",
                Severity.Warning);
        }
    }

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
                ("certSANs", YamlSequenceNode list) =>
                    new YamlMappingNode(list.Children.OfType<YamlScalarNode>().DistinctBy(s => s.Value)
                    .Select(s => KeyValuePair.Create<YamlNode, YamlNode>(s.Value ?? "", "present"))),
                (_, YamlMappingNode inner) => Normal(inner),
                _ => KindYaml.Copy(value),
            });
        }

        return result;
    }

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
        owner == "MeshTrust" ? "Report it with the versions of kind and Kubernetes; the cluster may work all the same."
            : $"Look at the patch in {owner}: kubeadm drops what it does not know, and kind skips a patch of another apiVersion.",
        owner == "MeshTrust" ? Severity.Error : Severity.Warning);
}
