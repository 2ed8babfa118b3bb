using MeshTrust.Settings;
using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>The container engine and the programs that work on it.</summary>
internal static class EngineChecks
{
    private static readonly Version OldestKind = new(0, 20);
    private static readonly Version FirstTriedKind = new(0, 27);
    private static readonly Version FirstWithoutCgroup1 = new(1, 35);

    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        Row("MT2220", "the container engine answers",
            "what keeps it from answering has an id of its own (MT22xx)",
            reading => reading.Engine?.Info is { } info
                ? $"{reading.EngineCommand} {info.Version}{(info.Endpoint.Length > 0 ? $" at {info.Endpoint}" : "")}, "
                    + $"{Count(info.Processors, "processor")}, {Bytes(info.Memory)}"
                : "no answer",
            reading => reading.Engine is not null || reading.EngineProblems.Count > 0
                ? reading.EngineProblems
                : [Error("container engine", "It does not answer.", "Start it, and see that 'docker version' shows a server.")],
            needsEngine: false),
        Row("MT2221", "the engine runs on this machine",
            "otherwise API servers listen on all addresses of the engine's machine, with its name in their certificates"
            + " (kubernetes-sigs/kind#1880)",
            reading => reading.Engine!.Info.IsRemote ? "it does not" : "it does",
            reading => reading.Engine!.Info.IsRemote
                ? [Warning(
                    reading.Engine.Info.Endpoint,
                    "The engine is another machine's: API servers will listen on all its addresses, and its disk, ports and routes"
                    + " cannot be looked at from here.",
                    "See that this machine reaches its ports, which kind chooses; or run MeshTrust there.")]
                : []),
        Row("MT2223", "kind",
            "the releases that were tried; which Kubernetes it can make is the node image's question",
            reading => $"{reading.KindVersion ?? "not there"}; {FirstTriedKind} and newer are tried",
            KindVersion,
            needsEngine: false),
        Row("MT4010", "kubectl",
            "MetalLB is installed with it",
            reading => reading.Host.HasKubectl ? "on the PATH" : "not on the PATH",
            reading => reading.Host.HasKubectl
                ? []
                : [Error(
                    "kubectl",
                    "It is not on the PATH, and MetalLB is installed with it.",
                    "Install it: https://kubernetes.io/docs/tasks/tools/, or choose --lb=none.")],
            reading => NotApplicableIf(reading.Kind.LoadBalancer.Kind != LoadBalancerKind.MetalLb, "only MetalLB is installed with it"),
            needsEngine: false),
        Row("MT2222", "cgroups",
            "kubelet 1.35 and newer refuse version 1 (kubernetes/kubernetes#134298)",
            reading => $"version {reading.Engine!.Info.CgroupVersion}"
                + $"{(reading.Engine.Info.CgroupDriver is { Length: > 0 } driver ? $" ({driver})" : "")};"
                + $" Kubernetes {reading.Kubernetes?.ToString() ?? "of kind's choice"}",
            Cgroups),
        Row("MT2227", "rootless engine",
            "kind's site, user/rootless",
            reading => $"cgroup version {reading.Engine!.Info.CgroupVersion}, 2 is needed",
            reading => reading.Engine!.Info.CgroupVersion == 1
                ? [Error(
                    "container engine",
                    "It runs without root on cgroup v1, where kind cannot make nodes.",
                    "Boot with cgroup v2 and delegate the controllers (Delegate=yes in user@.service), or run the engine with root.")]
                : [],
            reading => NotApplicableIf(!reading.Engine!.Info.IsRootless, "the engine has root")),
        Row("MT2226", "Podman's log driver",
            "kind waits for a line of the boot log (kubernetes-sigs/kind#2972, #3050)",
            reading => reading.Engine!.Info.LogDriver is { Length: > 0 } driver ? driver : "unknown",
            reading => reading.Engine!.Info.LogDriver == "journald"
                ? [Warning(
                    "containers.conf",
                    "The log driver 'journald' may hide the line of a node's boot log that kind waits for.",
                    "Set log_driver = \"k8s-file\" under [containers] in containers.conf.")]
                : [],
            reading => NotApplicableIf(reading.Engine!.Info.Engine != ContainerEngineChoice.Podman, "the engine is Docker")),
    ];

    private static IEnumerable<Problem> KindVersion(PreflightReading reading)
    {
        if (reading.KindVersion is not { } text)
        {
            const string Install = "Install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation, or choose --provider=native"
                + " or --provider=embedded.";
            return reading.KindProblems.Count > 0 ? reading.KindProblems : [Error("kind", "The program kind is not on the PATH.", Install)];
        }

        if (!Version.TryParse(text.Split('-', '+')[0], out var version) || version >= FirstTriedKind) return [];
        const string Hint = "Install a newer one: https://github.com/kubernetes-sigs/kind/releases";
        return version < OldestKind
            ? [new Problem("MT2224", "kind", $"Version {text} is too old: {OldestKind} is the least that is taken.", Hint)]
            : [new Problem(
                "MT2224",
                "kind",
                $"Version {text} is older than any that was tried: its node images lack containerd's certs.d, which registries need.",
                Hint,
                Severity.Warning)];
    }

    private static IEnumerable<Problem> Cgroups(PreflightReading reading)
    {
        const string Hint = "Boot with cgroup v2 (kernel argument systemd.unified_cgroup_hierarchy=1), or take --k8s-release=1.34.";
        if (reading.Engine!.Info.CgroupVersion != 1 || (reading.Kubernetes is { } known && known < FirstWithoutCgroup1)) return [];
        return reading.Kubernetes is { } version
            ? [Error("cgroups", $"They are of version 1, and kubelet {version} refuses to start on them.", Hint)]
            : [Warning(
                "cgroups",
                $"They are of version 1, and kubelet {FirstWithoutCgroup1} and newer refuse to start on them; which Kubernetes kind takes"
                + " is not known here.",
                Hint)];
    }
}
