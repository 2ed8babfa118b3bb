using MeshTrust.Benchmarks.Processes;
using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>The real etcd and kube-apiserver, searched for once.</summary>
internal static class PlaneBinaries
{
    private static readonly Lazy<ControlPlaneBinaries?> Found = new(() => BinaryLocator.TryFind(new BinaryRequest()));

    public static bool AreThere => Found.Value is not null;

    /// <exception cref="ChildFailedException">They are missing; the message says where they were searched for.</exception>
    public static ControlPlaneBinaries Find()
    {
        try
        {
            return Found.Value ?? BinaryLocator.Find(new BinaryRequest());
        }
        catch (MeshTrustException e)
        {
            throw new ChildFailedException(e.Message);
        }
    }
}
