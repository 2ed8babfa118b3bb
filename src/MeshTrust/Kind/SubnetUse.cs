using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>One range of one cluster: what for, of which family, and who chose it.</summary>
/// <param name="Cluster">The cluster's number in the topology, from 0.</param>
/// <param name="Key"><c>podSubnet</c> or <c>serviceSubnet</c>.</param>
/// <param name="Range">The range.</param>
/// <param name="IsAsked">Whether the user named it, now or when the cluster was made, or the cluster had it when it was taken over.</param>
internal sealed record SubnetUse(int Cluster, string Key, IPNetwork Range, bool IsAsked)
{
    internal const string Pods = "podSubnet";
    internal const string Services = "serviceSubnet";

    internal IpRange Addresses { get; } = IpRange.Of(Range);

    internal AddressFamily Family => Range.BaseAddress.AddressFamily;

    /// <summary>Why Kubernetes would not take the range, as a sentence; null where it does. Sources: kubeadm's and kube-apiserver's own validation.</summary>
    internal string? WrongSize(int nodes)
    {
        var isV4 = Family == AddressFamily.InterNetwork;
        var prefix = Range.PrefixLength;
        if (Key == Services)
        {
            var (widest, narrowest) = isV4 ? (12, 28) : (108, 124);
            return prefix >= widest && prefix <= narrowest ? null : $"A service range is between /{widest} and /{narrowest}.";
        }

        // The controller manager gives each node a /24 or a /64, out of at most 65 536.
        var node = isV4 ? 24 : 64;
        if (prefix < node - 16) return $"A pod range is no wider than /{node - 16}.";
        if (prefix > node || nodes > 1 << (node - prefix)) return $"Each of the {nodes} nodes takes a /{node} of a pod range.";
        return null;
    }
}
