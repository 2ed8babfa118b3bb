using MeshTrust.Topology.Hosting;

namespace MeshTrust.Clusters.Kind;

/// <summary>Which node image belongs to a version of kind and of Kubernetes, from kind's release notes.</summary>
public static class NodeImages
{
    /// <summary>Chooses the image.</summary>
    /// <param name="hosting">What the user wants.</param>
    /// <param name="kindVersion">kind's version, such as <c>0.32.0</c>; null where it is not known.</param>
    /// <returns>The choice: MT2401 where Kubernetes is newer than kind knows, MT2402 where it is older, MT2403 where the version is none; a warning MT2404 where kind's version is not known.</returns>
    public static NodeImageChoice For(HostingSpec hosting, string? kindVersion) => throw new NotImplementedException();
}
