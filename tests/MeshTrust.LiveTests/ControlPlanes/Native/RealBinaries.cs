using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>The real etcd and kube-apiserver; if they are missing, the test is skipped with a message.</summary>
internal static class RealBinaries
{
    public static ControlPlaneBinaries Find()
    {
        _ = OutsideTool.Find("etcd");
        _ = OutsideTool.Find("kube-apiserver");
        return BinaryLocator.Find(new BinaryRequest());
    }
}
