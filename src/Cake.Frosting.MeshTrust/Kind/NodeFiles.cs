using MeshTrust;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Writes the files that nodes need, such as containerd's <c>hosts.toml</c> for a local registry.</summary>
public sealed class NodeFiles(KindRun run)
{
    // The path is an argument of the script, not a part of it.
    private const string Script = "mkdir -p \"$(dirname \"$0\")\" && cat > \"$0\"";

    /// <summary>Writes all files to every node.</summary>
    /// <exception cref="MeshTrustException">MT2323: a node does not take one.</exception>
    public async Task WriteAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach (var node in plan.KubernetesNodes)
        {
            foreach (var file in plan.NodeFiles)
            {
                var result = await run.Engine.ExecuteAsync(node, ["sh", "-c", Script, file.Path], file.Text, cancellationToken).ConfigureAwait(false);
                if (result.ExitCode != 0) throw Refused(node, file, result.ExitCode);
            }
        }
    }

    private static MeshTrustException Refused(string node, NodeFile file, int exitCode) => new(Stage.ClusterCreation, new Problem("MT2323", node,
        $"The file {file.Path} could not be written into the node (exit code {exitCode}).",
        "See whether the node's disk is full or the node has ended, and run again."));
}
