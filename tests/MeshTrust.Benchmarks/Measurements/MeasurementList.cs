using MeshTrust.Benchmarks.Processes;

namespace MeshTrust.Benchmarks.Measurements;

/// <summary>All measurements, in the order of docs/performance.md.</summary>
internal static class MeasurementList
{
    public static IReadOnlyList<IMeasurement> For(MeasuredHost host) =>
    [
        new TwoClusters(host),
        new KeyBound(host, 2048) { ByDefault = true, Runs = 9 },
        new KeyBound(host, 4096) { ByDefault = false, Runs = 3 },
        new ThousandClusters(host),
        new UnchangedVerify(host),
        new FirstTask(host),
        new HundredPushes(host),
        new NativeStart(),
        new RealPushes(host),
        new RealRotation(host),
        new TwoKindClusters(host),
    ];
}
