using MeshTrust.Topology;

namespace Cake.Frosting.MeshTrust;

/// <summary>Which provider a run takes, and why.</summary>
/// <param name="Choice">Never <see cref="ProviderChoice.Auto"/>.</param>
/// <param name="Reason">A clause for people, for instance <c>no context is named</c>.</param>
public sealed record ProviderSelection(ProviderChoice Choice, string Reason)
{
    /// <summary>Takes what the topology asks for; <c>auto</c> takes existing where a context or kubeconfig is named, else embedded.</summary>
    public static ProviderSelection For(MeshTopology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        if (topology.Provider != ProviderChoice.Auto) return new(topology.Provider, "asked for");
        return topology.Clusters.FirstOrDefault(c => c.Context is not null || c.Kubeconfig is not null) is { } named
            ? new(ProviderChoice.Existing, $"auto: '{named.Context ?? named.Kubeconfig}' is named for {named.Name}")
            : new(ProviderChoice.Embedded, "auto: no context is named (CTX_CLUSTER1..n or the topology)");
    }
}
