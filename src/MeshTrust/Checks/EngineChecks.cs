using MeshTrust.Settings;
using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>The container engine and the programs that use it.</summary>
internal static class EngineChecks
{
    private static readonly Version OldestKind = new(0, 20);
    private static readonly Version FirstTriedKind = new(0, 27);
    private static readonly Version FirstWithoutCgroup1 = new(1, 35);

    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        Row("MT2220", "the container engine is running",
            "each cause of an error has its own id (MT22xx)",
            reading => reading.Engine?.Info is { } info
                ? $"{reading.EngineCommand} {info.Version}{(info.Endpoint.Length > 0 ? $" at {info.Endpoint}" : "")}, "
                    + $"{Count(info.Processors, "processor")}, {Bytes(info.Memory)}"
                : "not responding",
            reading => reading.Engine is not null || reading.EngineProblems.Count > 0
                ? reading.EngineProblems
                : [Error("container engine", "It is not responding.", "Start it. 'docker version' must show a server.")],
            needsEngine: false),
        Row("MT2221", "the engine runs on this machine",
            "otherwise API servers listen on all addresses of the engine's host, with its name in their certificates"
            + " (kubernetes-sigs/kind#1880)",
            reading => reading.Engine!.Info.IsRemote ? "remote" : "local",
            reading => reading.Engine!.Info.IsRemote
                ? [Warning(reading.Engine.Info.Endpoint,
                    "The engine runs on another machine: API servers listen on all its addresses, and its disk, ports and routes cannot be"
                    + " checked from here.",
                    "Make sure this machine can reach its ports, which kind chooses, or run MeshTrust on that machine.")]
                : []),
        Row("MT2223", "kind",
            "the tested releases; the node image check covers the Kubernetes versions",
            reading => $"{reading.KindVersion ?? "not found"}; {FirstTriedKind} and newer are tested",
            KindVersion, needsEngine: false),
        Row("MT4010", "kubectl",
            "installing MetalLB needs it",
            reading => reading.Host.HasKubectl ? "on the PATH" : "not on the PATH",
            reading => reading.Host.HasKubectl
                ? []
                : [Error("kubectl", "It is not on the PATH, and installing MetalLB needs it.",
                    "Install it (https://kubernetes.io/docs/tasks/tools/) or use --lb=none.")],
            reading => NotApplicableIf(reading.Kind.LoadBalancer.Kind != LoadBalancerKind.MetalLb, "only MetalLB needs it"),
            needsEngine: false),
        Row("MT2222", "cgroups",
            "kubelet 1.35 and newer reject cgroup v1 (kubernetes/kubernetes#134298)",
            reading => $"version {reading.Engine!.Info.CgroupVersion}"
                + $"{(reading.Engine.Info.CgroupDriver is { Length: > 0 } driver ? $" ({driver})" : "")};"
                + $" Kubernetes {reading.Kubernetes?.ToString() ?? "version chosen by kind"}",
            Cgroups),
        Row("MT2227", "rootless engine",
            "kind documentation, user/rootless",
            reading => $"cgroup version {reading.Engine!.Info.CgroupVersion}, 2 is required",
            reading => reading.Engine!.Info.CgroupVersion == 1
                ? [Error("container engine", "It is rootless on cgroup v1, where kind cannot create nodes.",
                    "Boot with cgroup v2 and delegate the controllers (Delegate=yes in user@.service), or run the engine as root.")]
                : [],
            reading => NotApplicableIf(!reading.Engine!.Info.IsRootless, "the engine runs as root")),
        Row("MT2226", "Podman's log driver",
            "kind waits for a line in the boot log (kubernetes-sigs/kind#2972, #3050)",
            reading => reading.Engine!.Info.LogDriver is { Length: > 0 } driver ? driver : "unknown",
            reading => reading.Engine!.Info.LogDriver == "journald"
                ? [Warning("containers.conf", "The log driver 'journald' can hide the line in a node's boot log that kind waits for.",
                    "Set log_driver = \"k8s-file\" under [containers] in containers.conf.")]
                : [],
            reading => NotApplicableIf(reading.Engine!.Info.Engine != ContainerEngineChoice.Podman, "the engine is Docker")),
    ];

    private static IEnumerable<Problem> KindVersion(PreflightReading reading)
    {
        if (reading.KindVersion is not { } text)
        {
            const string Install = "Install it (https://kind.sigs.k8s.io/docs/user/quick-start/#installation) or use --provider=native"
                + " or --provider=embedded.";
            return reading.KindProblems.Count > 0 ? reading.KindProblems : [Error("kind", "kind is not on the PATH.", Install)];
        }

        if (!Version.TryParse(text.Split('-', '+')[0], out var version) || version >= FirstTriedKind) return [];
        const string Hint = "Install a newer version: https://github.com/kubernetes-sigs/kind/releases";
        return version < OldestKind
            ? [new Problem("MT2224", "kind", $"Version {text} is too old: {OldestKind} is the minimum.", Hint)]
            : [new Problem("MT2224", "kind",
                $"Version {text} is older than the tested versions: its node images lack containerd's certs.d, which registries need.",
                Hint, Severity.Warning)];
    }

    private static IEnumerable<Problem> Cgroups(PreflightReading reading)
    {
        const string Hint = "Boot with cgroup v2 (kernel argument systemd.unified_cgroup_hierarchy=1) or use --k8s-release=1.34.";
        if (reading.Engine!.Info.CgroupVersion != 1 || (reading.Kubernetes is { } known && known < FirstWithoutCgroup1)) return [];
        return reading.Kubernetes is { } version
            ? [Error("cgroups", $"This machine uses cgroup v1, and kubelet {version} does not start on it.", Hint)]
            : [Warning("cgroups",
                $"This machine uses cgroup v1, and kubelet {FirstWithoutCgroup1} and newer do not start on it. The Kubernetes version that"
                + " kind uses is not known.",
                Hint)];
    }
}
