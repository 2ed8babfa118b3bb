using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Everything needed to start one control plane.</summary>
internal sealed record PlanePlan
{
    public required string Name { get; init; }

    public required NativeControlPlanesOptions Options { get; init; }

    public required ControlPlaneBinaries Binaries { get; init; }

    public required RunDirectory Run { get; init; }

    /// <summary>The plane's directory in the run, where its processes run.</summary>
    public required string Directory { get; init; }

    /// <summary>What outlives this run; null for nothing.</summary>
    public PlaneState? State { get; init; }

    public required PlaneIdentity Identity { get; init; }

    public required TimeSpan Timeout { get; init; }

    public int PreferredPort { get; init; }

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
