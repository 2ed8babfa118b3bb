using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// Everything needed to start one control plane. Its processes run in its directory, which is part of the run's; the state is what
/// outlives this run, null for nothing.
/// </summary>
internal sealed record PlanePlan(
    string Name, NativeControlPlanesOptions Options, ControlPlaneBinaries Binaries, RunDirectory Run, string Directory, PlaneState? State,
    PlaneIdentity Identity, TimeSpan Timeout, int PreferredPort)
{
    public string DataDirectory => State?.DataDirectory ?? Path.Combine(Directory, "etcd");

    /// <summary>Where a process of this plane writes its output (0600).</summary>
    public string LogFile(string process) =>
        State is not null ? Path.Combine(State.Location, $"{process}.log") : Path.Combine(Run.Logs, $"{Name}-{process}.log");

    /// <summary>
    /// A program's flags, <c>--name=value</c>; an extra one replaces the one of its name, because many cannot be repeated.
    /// </summary>
    public static IReadOnlyList<string> Merge(IEnumerable<string> own, IReadOnlyList<string> extra)
    {
        var names = extra.Select(Flag).ToHashSet(StringComparer.Ordinal);
        return [.. own.Where(flag => !names.Contains(Flag(flag))), .. extra];

        static string Flag(string text) => text.Split('=', 2)[0].TrimStart('-');
    }
}
