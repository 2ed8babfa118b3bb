using System.Globalization;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The disk below a node: where it is full kubeadm says no word of it, only that the control plane does not come up.</summary>
internal sealed class NodeDisk(IContainerEngine engine)
{
    /// <summary>How many bytes are free where a node keeps its images, containers and etcd.</summary>
    /// <returns>Null where the node cannot be asked.</returns>
    public async Task<long?> ReadFreeAsync(string node, CancellationToken cancellationToken)
    {
        try
        {
            var result = await engine.ExecuteAsync(node, ["df", "--output=avail", "--block-size=1", "/var"], null, cancellationToken).ConfigureAwait(false);
            return result.ExitCode == 0 && long.TryParse(result.Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault(), CultureInfo.InvariantCulture, out var free) ? free : null;
        }
        catch (MeshTrustException)
        {
            return null;
        }
    }
}
