using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>
/// The machine: kernel, memory, disks, locks, ports. The minimum per node was measured on an empty control plane; the recommended values
/// are estimates (docs/preflight.md explains the figures).
/// </summary>
internal static class HostChecks
{
    private const long MiB = 1L << 20;
    private const long GiB = 1L << 30;
    private const long LeastMemory = 400 * MiB;
    private const long WantedMemory = 2 * GiB;
    private const long LeastDisk = 512 * MiB;
    private const long WantedDisk = 3 * GiB;
    private const long LeastTemporary = 64 * MiB;
    private const long WantedTemporary = 512 * MiB;
    private static readonly TimeSpan StaleLock = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        Inotify("MT1101", "inotify instances", "max_user_instances", host => host.InotifyInstances, 12, nodes => 128 + (64L * nodes), 512),
        Inotify("MT1102", "inotify watches", "max_user_watches", host => host.InotifyWatches, 235, nodes => 8192L * nodes, 524288),
        Row("MT1103", "memory",
            "measured: an empty control plane uses 450 MiB",
            reading => $"{Bytes(Available(reading))} available; {NewNodes(reading)} should have {Bytes(WantedMemory * reading.NewNodes)}",
            Memory, NoNewNode),
        Row("MT1104", "engine disk",
            "measured: an empty control plane writes 550 MiB; kind disables kubelet's disk-space eviction, so a full disk shows up as an"
            + " etcd error",
            reading => $"{Bytes(reading.Host.EngineDisk!.Free)} free in {reading.Host.EngineDisk.Path}; {NewNodes(reading)} should have"
                + $" {Bytes(ComfortableDisk(reading))}",
            EngineDisk,
            reading => NoNewNode(reading)
                ?? UnreadIf(reading.Host.EngineDisk is null, "the engine's disk is on another machine or cannot be read")),
        Row("MT1105", "disk for temporary files",
            "kind configurations, image archives, exported logs",
            reading => $"{Bytes(reading.Host.TemporaryDisk!.Free)} free in {reading.Host.TemporaryDisk.Path}, "
                + $"{Bytes(WantedTemporary)} are needed",
            TemporaryDisk,
            reading => UnreadIf(reading.Host.TemporaryDisk is null, "the directory cannot be read"),
            needsEngine: false),
        Row("MT1106", "kubeconfig locks",
            "kind's lock file has no owner: if a program is killed, its lock blocks kind forever (kubernetes-sigs/kind#1425)",
            reading => reading.Host.Locks.Count == 0 ? "none" : Count(reading.Host.Locks.Count, "lock file"),
            reading => reading.Host.Locks.Select(l => l.Age >= StaleLock
                ? Error(l.Path, $"The lock is {Duration(l.Age)} old: the program that created it is gone, and it blocks kind.",
                    $"Make sure that no kind or kubectl is running, then: rm '{l.Path}'")
                : Warning(l.Path, $"The lock is {Duration(l.Age)} old: another program is writing this kubeconfig.",
                    "Wait for it to finish, or use another --kubeconfig-dir.")),
            needsEngine: false),
        Row("MT1107", "host ports are used only once",
            "kubernetes-sigs/kind#3681",
            reading => string.Join(", ", reading.WantedPorts.Select(p => $"{p} ({p.Cluster})")),
            PortPairs, NoPort, needsEngine: false),
        Row("MT1108", "host ports are free",
            "the engine publishes each of them",
            reading => string.Join(", ", reading.WantedPorts.Select(p => p.ToString()).Distinct()),
            TakenPorts,
            reading => NoPort(reading) ?? NotApplicableIf(reading.Engine?.Info.IsRemote is true, "the engine is on another machine"),
            needsEngine: false),
    ];

    private static string NewNodes(PreflightReading reading) => Count(reading.NewNodes, "new node");

    /// <summary>A limit on file watches, shared by all kind nodes on the machine.</summary>
    private static Check<PreflightReading> Inotify(
        string id, string title, string name, Func<HostSnapshot, long?> limit, int least, Func<int, long> wanted, long floor)
    {
        return Row(id, title, "kubernetes-sigs/kind#3317; measured: an empty control plane uses 12 instances and 235 watches",
            reading => $"{limit(reading.Host)}; {Count(Nodes(reading), "node")} should have {wanted(Nodes(reading))}",
            Inspect,
            reading => NoNewNode(reading)
                ?? NotApplicableIf(reading.Engine!.Info.IsRemote, "the engine is on another machine")
                ?? NotApplicableIf(reading.Host.OperatingSystem != "linux", "the engine's virtual machine has its own limit")
                ?? UnreadIf(limit(reading.Host) is null, $"/proc/sys/fs/inotify/{name} cannot be read"));

        IEnumerable<Problem> Inspect(PreflightReading reading)
        {
            var (setting, have, nodes) = ($"fs.inotify.{name}", limit(reading.Host)!.Value, Nodes(reading));
            var (should, who) = (wanted(nodes), Count(nodes, "node"));
            var hint = $"Run: sudo sysctl -w {setting}={Math.Max(floor, should)} (add it to /etc/sysctl.d to make it permanent).";
            if (have < least * nodes)
                return [Error(setting, $"It is {have}, but {who} use more than {least * nodes}: some nodes will not start.", hint)];
            return have < should
                ? [Warning(setting, $"It is {have}, but {who} should have {should}: workloads watch files as well.", hint)]
                : [];
        }

        static int Nodes(PreflightReading reading) => reading.NewNodes + reading.RunningNodes;
    }

    // A remote or virtual machine reports its total memory, not how much is free.
    private static long Available(PreflightReading reading) =>
        reading is { Host: { OperatingSystem: "linux", MemoryAvailable: { } available }, Engine.Info.IsRemote: false }
            ? available
            : reading.Engine!.Info.Memory;

    private static IEnumerable<Problem> Memory(PreflightReading reading)
    {
        const string Hint = "Stop other programs, give the engine's virtual machine more memory, or use fewer clusters or workers.";
        var (have, least, wanted) = (Available(reading), LeastMemory * reading.NewNodes, WantedMemory * reading.NewNodes);
        if (have < least)
            return [Error("memory", $"{Bytes(have)} are available, but {NewNodes(reading)} need at least {Bytes(least)}.", Hint)];
        return have < wanted
            ? [Warning("memory",
                $"{Bytes(have)} are available, but {NewNodes(reading)} should have {Bytes(wanted)}: Istio and workloads may not fit.",
                Hint)]
            : [];
    }

    private static long ComfortableDisk(PreflightReading reading) =>
        (WantedDisk * reading.NewNodes) + (reading.Host.EngineDisk!.Total / 10);

    private static IEnumerable<Problem> EngineDisk(PreflightReading reading)
    {
        var hint = $"Free disk space ('{reading.EngineCommand} system df' shows what uses it), or move the engine's data to a larger disk.";
        var (disk, least, wanted) = (reading.Host.EngineDisk!, LeastDisk * reading.NewNodes, ComfortableDisk(reading));
        if (disk.Free < least)
            return [Error(disk.Path, $"{Bytes(disk.Free)} are free, but {NewNodes(reading)} need at least {Bytes(least)}.", hint)];
        return disk.Free < wanted
            ? [Warning(disk.Path,
                $"{Bytes(disk.Free)} are free, but {NewNodes(reading)} should have {Bytes(wanted)}: 3 GiB each, plus a tenth of the disk.",
                hint)]
            : [];
    }

    private static IEnumerable<Problem> TemporaryDisk(PreflightReading reading)
    {
        var disk = reading.Host.TemporaryDisk!;
        const string Hint = "Free disk space there, or set TMPDIR to a directory with more space.";
        if (disk.Free < LeastTemporary) return [Error(disk.Path, $"{Bytes(disk.Free)} are free for temporary files.", Hint)];
        return disk.Free < WantedTemporary
            ? [Warning(disk.Path, $"{Bytes(disk.Free)} are free for temporary files: an image archive may not fit.", Hint)]
            : [];
    }

    private static Skip? NoPort(PreflightReading reading) =>
        NotApplicableIf(reading.WantedPorts.Count == 0, "no configuration maps a port");

    private static IEnumerable<Problem> PortPairs(PreflightReading reading)
    {
        var wanted = reading.WantedPorts;
        return
            from i in Enumerable.Range(0, wanted.Count)
            from other in wanted.Skip(i + 1)
            where wanted[i].ClashesWith(other)
            let who = wanted[i].Cluster == other.Cluster ? "twice" : $"by both {wanted[i].Cluster} and {other.Cluster}"
            select Error(other.Cluster.Value, $"Host port {other} is used {who}.",
                $"Set another hostPort for {other.Cluster} in its kindConfig, or remove it: kind chooses free ports for API servers.");
    }

    private static IEnumerable<Problem> TakenPorts(PreflightReading reading) =>
        from port in reading.WantedPorts
        let owner = reading.Engine?.Containers.FirstOrDefault(c =>
            c.IsRunning && c.Ports.Any(p => port.Takes(p.HostAddress, p.HostPort, p.Protocol)))
        where owner is not null || reading.Host.BusyPorts.Contains(port)
        let who = owner is null ? "another program" : $"the container '{owner.Name}'"
        let stop = owner is null ? $"'ss -lnp sport = :{port.Port}' shows which. Stop it" : $"Run {reading.EngineCommand} stop {owner.Name}"
        select Error(port.Cluster.Value, $"Host port {port} is in use by {who}.", $"{stop}, or set another hostPort for the cluster.");
}
