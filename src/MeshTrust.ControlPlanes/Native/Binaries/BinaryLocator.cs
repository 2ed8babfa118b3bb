namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Finds etcd and kube-apiserver where envtest, setup-envtest and people keep them.</summary>
public static class BinaryLocator
{
    /// <summary>The binaries that are found first, each asked for its version.</summary>
    /// <exception cref="MeshTrustException">MT2101 with everything that was tried.</exception>
    public static ControlPlaneBinaries Find(BinaryRequest request) => throw new NotImplementedException();

    /// <summary>As <see cref="Find"/>, with null where something is missing.</summary>
    public static ControlPlaneBinaries? TryFind(BinaryRequest request) => throw new NotImplementedException();
}
