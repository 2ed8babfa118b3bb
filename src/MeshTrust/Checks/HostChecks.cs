using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>
/// The machine: kernel, memory, disks, locks, ports. What a node takes at least was measured on a bare control plane; what it should have
/// is a proposal (docs/preflight.md says where the figures come from).
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
            "measured: a bare control plane takes 450 MiB",
            reading => $"{Bytes(Available(reading))} available; {NewNodes(reading)} should have {Bytes(WantedMemory * reading.NewNodes)}",
            Memory,
            NoNewNode),
        Row("MT1104", "disk of the engine",
            "measured: a bare control plane writes 550 MiB; kind turns kubelet's own eviction by disk space off, so a full disk shows as"
            + " etcd's fault",
            reading => $"{Bytes(reading.Host.EngineDisk!.Free)} free in {reading.Host.EngineDisk.Path}; {NewNodes(reading)} should have"
                + $" {Bytes(ComfortableDisk(reading))}",
            EngineDisk,
            reading => NoNewNode(reading)
                ?? UnreadIf(reading.Host.EngineDisk is null, "the engine's disk is not this machine's, or cannot be read")),
        Row("MT1105", "disk for temporary files",
            "kind's configuration, an image's archive, exported logs",
            reading => $"{Bytes(reading.Host.TemporaryDisk!.Free)} free in {reading.Host.TemporaryDisk.Path}, "
                + $"{Bytes(WantedTemporary)} are needed",
            TemporaryDisk,
            reading => UnreadIf(reading.Host.TemporaryDisk is null, "it cannot be read"),
            needsEngine: false),
        Row("MT1106", "kubeconfig locks",
            "kind's lock has no owner: one that a killed program left blocks it for ever (kubernetes-sigs/kind#1425)",
            reading => reading.Host.Locks.Count == 0 ? "none" : Count(reading.Host.Locks.Count, "lock file"),
            reading => reading.Host.Locks.Select(l => l.Age >= StaleLock
                ? Error(
                    l.Path,
                    $"The lock is {Duration(l.Age)} old: whoever made it is gone, and kind waits for it in vain.",
                    $"rm '{l.Path}', where no kind or kubectl is at work.")
                : Warning(
                    l.Path,
                    $"The lock is {Duration(l.Age)} old: another program writes this kubeconfig.",
                    "Let it end; or take another --kubeconfig-dir.")),
            needsEngine: false),
        Row("MT1107", "ports of the host, each wanted once",
            "kubernetes-sigs/kind#3681",
            reading => string.Join(", ", reading.WantedPorts.Select(p => $"{p} ({p.Cluster})")),
            PortPairs,
            NoPort,
            needsEngine: false),
        Row("MT1108", "ports of the host are free",
            "the engine publishes each of them",
            reading => string.Join(", ", reading.WantedPorts.Select(p => p.ToString()).Distinct()),
            TakenPorts,
            reading => NoPort(reading) ?? NotApplicableIf(reading.Engine?.Info.IsRemote is true, "the engine is another machine's"),
            needsEngine: false),
    ];

    private static string NewNodes(PreflightReading reading) => Count(reading.NewNodes, "new node");

    /// <summary>A limit on watching files, which all kind nodes of the machine share.</summary>
    private static Check<PreflightReading> Inotify(
        string id, string title, string name, Func<HostSnapshot, long?> limit, int least, Func<int, long> wanted, long floor)
    {
        return Row(
            id,
            title,
            "kubernetes-sigs/kind#3317; measured: a bare control plane holds 12 instances and 235 watches",
            reading => $"{limit(reading.Host)}; {Count(Nodes(reading), "node")} should have {wanted(Nodes(reading))}",
            Inspect,
            reading => NoNewNode(reading)
                ?? NotApplicableIf(reading.Engine!.Info.IsRemote, "the engine is another machine's")
                ?? NotApplicableIf(reading.Host.OperatingSystem != "linux", "the engine's virtual machine has its own")
                ?? UnreadIf(limit(reading.Host) is null, $"/proc/sys/fs/inotify/{name} cannot be read"));

        IEnumerable<Problem> Inspect(PreflightReading reading)
        {
            var (setting, have, nodes) = ($"fs.inotify.{name}", limit(reading.Host)!.Value, Nodes(reading));
            var (should, who) = (wanted(nodes), Count(nodes, "node"));
            var hint = $"sudo sysctl -w {setting}={Math.Max(floor, should)} (and a line in /etc/sysctl.d to keep it).";
            if (have < least * nodes)
                return [Error(setting, $"It is {have}, and {who} take more than {least * nodes}: some will not start.", hint)];
            return have < should
                ? [Warning(setting, $"It is {have}, and {who} should have {should}: what runs in them watches files too.", hint)]
                : [];
        }

        static int Nodes(PreflightReading reading) => reading.NewNodes + reading.RunningNodes;
    }

    // Another machine, or a virtual one, says how much it has, not how much is free.
    private static long Available(PreflightReading reading) =>
        reading is { Host: { OperatingSystem: "linux", MemoryAvailable: { } available }, Engine.Info.IsRemote: false }
            ? available
            : reading.Engine!.Info.Memory;

    private static IEnumerable<Problem> Memory(PreflightReading reading)
    {
        const string Hint = "End other programs, give the engine's virtual machine more, or ask for fewer clusters or workers.";
        var (have, least, wanted) = (Available(reading), LeastMemory * reading.NewNodes, WantedMemory * reading.NewNodes);
        if (have < least)
            return [Error("memory", $"{Bytes(have)} are available, and {NewNodes(reading)} take at least {Bytes(least)}.", Hint)];
        return have < wanted
            ? [Warning(
                "memory",
                $"{Bytes(have)} are available, and {NewNodes(reading)} should have {Bytes(wanted)}: Istio and workloads may not fit.",
                Hint)]
            : [];
    }

    private static long ComfortableDisk(PreflightReading reading) =>
        (WantedDisk * reading.NewNodes) + (reading.Host.EngineDisk!.Total / 10);

    private static IEnumerable<Problem> EngineDisk(PreflightReading reading)
    {
        var hint = $"Make room ('{reading.EngineCommand} system df' shows what may go), or move the engine's data to a larger disk.";
        var (disk, least, wanted) = (reading.Host.EngineDisk!, LeastDisk * reading.NewNodes, ComfortableDisk(reading));
        if (disk.Free < least)
            return [Error(disk.Path, $"{Bytes(disk.Free)} are free, and {NewNodes(reading)} take at least {Bytes(least)}.", hint)];
        return disk.Free < wanted
            ? [Warning(
                disk.Path,
                $"{Bytes(disk.Free)} are free; 3 GiB for each of {NewNodes(reading)} and a tenth of the disk come to {Bytes(wanted)}.",
                hint)]
            : [];
    }

    private static IEnumerable<Problem> TemporaryDisk(PreflightReading reading)
    {
        var disk = reading.Host.TemporaryDisk!;
        const string Hint = "Make room there, or set TMPDIR to a directory with more.";
        if (disk.Free < LeastTemporary) return [Error(disk.Path, $"{Bytes(disk.Free)} are free for temporary files.", Hint)];
        return disk.Free < WantedTemporary
            ? [Warning(disk.Path, $"{Bytes(disk.Free)} are free for temporary files: an image's archive may not fit.", Hint)]
            : [];
    }

    private static Skip? NoPort(PreflightReading reading) =>
        NotApplicableIf(reading.WantedPorts.Count == 0, "no configuration asks for a port");

    private static IEnumerable<Problem> PortPairs(PreflightReading reading)
    {
        var wanted = reading.WantedPorts;
        return
            from i in Enumerable.Range(0, wanted.Count)
            from other in wanted.Skip(i + 1)
            where wanted[i].ClashesWith(other)
            let who = wanted[i].Cluster == other.Cluster ? "twice" : $"by {wanted[i].Cluster} and by {other.Cluster}"
            select Error(
                other.Cluster.Value,
                $"The host's port {other} is wanted {who}.",
                $"Give {other.Cluster} another hostPort in its kindConfig, or leave it out: kind chooses free ports for API servers.");
    }

    private static IEnumerable<Problem> TakenPorts(PreflightReading reading) =>
        from port in reading.WantedPorts
        let owner = reading.Engine?.Containers.FirstOrDefault(c =>
            c.IsRunning && c.Ports.Any(p => port.Takes(p.HostAddress, p.HostPort, p.Protocol)))
        where owner is not null || reading.Host.BusyPorts.Contains(port)
        let who = owner is null ? "another program" : $"the container '{owner.Name}'"
        let stop = owner is null ? $"'ss -lnp sport = :{port.Port}' shows which; end it" : $"{reading.EngineCommand} stop {owner.Name}"
        select Error(port.Cluster.Value, $"The host's port {port} is taken by {who}.", $"{stop}, or give the cluster another hostPort.");
}
