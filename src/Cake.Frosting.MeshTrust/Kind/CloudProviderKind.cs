using System.Diagnostics;
using Cake.Core;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// cloud-provider-kind: one program on the host that serves every kind cluster of it, others' too. So MeshTrust neither starts nor ends it: it sees that it
/// runs, as a process or as a container, and says how it is started.
/// </summary>
internal sealed class CloudProviderKind(ICakeContext context, Func<string, bool> isRunning)
{
    internal const string Program = "cloud-provider-kind";

    /// <summary>The image that the project offers ends so; it is often built locally under the program's name.</summary>
    private const string Image = "cloud-provider-kind/cloud-controller-manager";

    /// <summary>Over the processes of this machine.</summary>
    internal CloudProviderKind(ICakeContext context)
        : this(context, name => Process.GetProcessesByName(name).Length > 0)
    {
    }

    /// <summary>Sees that it runs.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT4030: it is not there. MT4031: it does not run.</exception>
    internal void EnsureRuns(EngineSnapshot snapshot)
    {
        if (snapshot.Containers.Any(IsProvider) || isRunning(Program)) return;
        if (context.Tools.Resolve([$"{Program}.exe", Program]) is null)
        {
            throw LoadBalancerFault.New(
                "MT4030",
                "--lb=cloud-provider-kind",
                "cloud-provider-kind is not on the PATH, and no container of it runs.",
                "Install it (https://github.com/kubernetes-sigs/cloud-provider-kind) and leave it running in another terminal: cloud-provider-kind --gateway-channel=disabled. Or choose --lb=metallb.");
        }

        throw LoadBalancerFault.New(
            "MT4031",
            "--lb=cloud-provider-kind",
            "cloud-provider-kind does not run. MeshTrust does not start it: it serves all kind clusters of this machine.",
            "Leave it running in another terminal, then run again: cloud-provider-kind --gateway-channel=disabled.");
    }

    private static bool IsProvider(EngineContainer container) =>
        container.IsRunning && (container.Image.Contains(Image, StringComparison.Ordinal) || container.Image.Split('/')[^1].Split(':', '@')[0] == Program);
}
