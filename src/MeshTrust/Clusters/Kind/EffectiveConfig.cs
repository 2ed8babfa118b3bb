namespace MeshTrust.Clusters.Kind;

/// <summary>What a cluster really runs with, as it was read back.</summary>
public sealed record EffectiveConfig
{
    /// <summary><c>data.ClusterConfiguration</c> of the ConfigMap <c>kube-system/kubeadm-config</c>; null where it was not read.</summary>
    public string? ClusterConfiguration { get; init; }

    /// <summary>The command of each control-plane component's container (program and flags), by component: <c>kube-apiserver</c> and so on.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Commands { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>containerd's configuration (<c>/etc/containerd/config.toml</c>), by node.</summary>
    public IReadOnlyDictionary<string, string> Containerd { get; init; } = new Dictionary<string, string>();

    /// <summary>What was planned and did not take effect: MT2316 a flag, MT2317 a name in the API server's certificate, MT2318 containerd's registry folder, MT2319 a subnet.</summary>
    /// <param name="plan">What was planned.</param>
    public IReadOnlyList<Problem> Missing(KindPlan plan) => throw new NotImplementedException();
}
