using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.Kind;

/// <summary>Why kind failed, read from its output. It always exits with 1, so the output is the only source.</summary>
internal sealed partial record KindFault(Problem Problem, bool IsPassing)
{
    private const int Longest = 300;
    private const string DiskFull = "no space left on device";
    private const string DiskFullWhat = "The disk on which the engine keeps its images and containers is full";
    private const string DiskFullRemedy = "Free space there (docker system df shows what uses it), and run again.";
    private static readonly string[] KubeadmFragments = ["failed to init node with kubeadm", "failed to join node with kubeadm"];

    private static readonly string[] LateFragments =
        ["timed out waiting for the condition", "context deadline exceeded", "timeout exceeded while waiting"];

    // The first match counts: the engine's own reason precedes kind's interpretation.
    private static readonly (string Id, bool IsPassing, string[] Fragments, string Message, string Hint)[] Known =
    [
        ("MT2314", false, ["permission denied while trying to connect to the docker"],
            "This user has no permission to use the container engine.",
            "Add the user to the group that owns the engine's socket (docker), log in again, and rerun."),
        ("MT2314", false, ["cannot connect to the docker daemon", "is the docker daemon running", "cannot connect to podman",
            "connection refused: docker.sock"],
            "The container engine is not running.",
            "Start it, and run again: complete clusters are kept."),
        (ProblemCodes.EngineDiskFull, false, [DiskFull], DiskFullWhat + ".", DiskFullRemedy),
        ("MT2309", false, ["toomanyrequests", "you have reached your pull rate limit",
            "you have reached your unauthenticated pull rate limit"],
            "The registry of the node image limits pulls from this address (rate limit).",
            "Log in to the registry (docker login), use a mirror's image with --node-image, or load it from --image-archive."),
        ("MT2409", true, ["tls handshake timeout", "i/o timeout", "connection reset by peer", "temporary failure in name resolution",
            "unexpected eof"], "The node image could not be pulled: the connection to its registry was interrupted.",
            "Run again. If this machine cannot reach the registry, load the image from --image-archive."),
        ("MT2409", false, ["manifest unknown", "no matching manifest for", "failed to pull image", "pull access denied"],
            "The node image cannot be pulled from its registry.",
            "Check its name and that it supports this architecture; use another with --node-image, or load it from --image-archive."),
        ("MT2310", false, ["could not find an available, non-overlapping ipv4 address pool",
            "all predefined address pools have been fully subnetted"],
            "The container engine has no free address range for a new network.",
            "Remove unused networks (docker network prune), disconnect a VPN that captures all routes, or set default-address-pools in " +
            "the engine."),
        ("MT2312", false, ["network kind is ambiguous", "is ambiguous ("],
            "Two container networks have the name of the nodes' network.",
            "Remove the unused one by its id: docker network ls, docker network rm <id>."),
        ("MT2313", true, ["pool overlaps with other one on this address space", "networks have overlapping", "network with name",
            "failed to ensure docker network", "exhausted attempts trying to find a non-overlapping subnet"],
            "Another program created a container network at the same moment.", "Run again."),
        ("MT2311", true, ["port is already allocated", "ports are not available", "address already in use"],
            "A host port for the cluster is already in use.",
            "Run again: kind chooses another port. If the configuration names one (apiServerPort, extraPortMappings), free it."),
        ("MT2307", true, ["failed to lock config file"], "kind could not lock the cluster's own kubeconfig.",
            "Run again. If it persists, delete the .lock file next to the kubeconfig named in the message."),
        ("MT2306", false, ["node(s) already exist for a cluster with the name"],
            "A cluster of this name already exists: something created it after this run checked.",
            "Run again: the next run takes it into account."),
        ("MT2308", false, ["could not find a log line that matches"],
            "A node did not boot. The usual cause is too few inotify instances, or a log driver that hides the boot log.",
            "Raise the limits: sudo sysctl -w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288. With Podman set " +
            "log_driver=\"k8s-file\"."),
        ("MT2315", false, ["unknown field", "error converting yaml", "unable to decode config", "invalid configuration for node"],
            "kind rejected its configuration.", "Fix the key that kind names, in kindConfig or in the file of --kind-config."),
    ];

    /// <summary>
    /// Whether an unreported full disk can be the cause: kubeadm then says only that the control plane does not come up.
    /// </summary>
    public bool MayBeDisk => Problem.Id == ProblemCodes.KubeadmFailed;

    public static KindFault OfFullDisk(string cluster, long free) => new(new Problem(ProblemCodes.EngineDiskFull, cluster,
            $"{DiskFullWhat}: {(free >> 20).ToString(CultureInfo.InvariantCulture)} MiB were left when kind failed.", DiskFullRemedy),
        IsPassing: false);

    public static KindFault Of(string cluster, string error)
    {
        var plain = Control().Replace(error, "");
        var lower = plain.ToLowerInvariant();
        var words = Reason(plain);
        // kubeadm prints a lot, including words that mean something else elsewhere.
        if (Says(KubeadmFragments) && !Says(DiskFull))
        {
            return Says(LateFragments)
                ? new KindFault(new Problem(ProblemCodes.KubeadmFailed, cluster,
                    "The control plane did not come up in time. The machine may be short of processors or memory, or the node image may " +
                        "not be compatible. " +
                    $"kind said: {words}",
                    "Create fewer clusters at once with --parallel=1, and check the node's logs in the artifacts folder."), IsPassing: true)
                : new KindFault(new Problem(ProblemCodes.KubeadmFailed, cluster,
                    $"kubeadm could not create the control plane or join a node. kind said: {words}",
                    "Check kubelet.log of the node in the artifacts folder. The usual cause is a kubeadm patch of your own."),
                    IsPassing: false);
        }

        foreach (var known in Known)
        {
            if (!Says(known.Fragments)) continue;
            return new KindFault(new Problem(known.Id, cluster, $"{known.Message} kind said: {words}", known.Hint), known.IsPassing);
        }

        return new KindFault(new Problem(ProblemCodes.KindFailed, cluster, $"kind failed for an unrecognized reason: {words}",
            "Check the cluster's logs in the artifacts folder."), IsPassing: false);

        bool Says(params string[] fragments) => Array.Exists(fragments, f => lower.Contains(f, StringComparison.Ordinal));
    }

    // kind prints its reason in one line that begins with ERROR; the tool's own output follows.
    private static string Reason(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var at = Array.FindLastIndex(lines, l => l.StartsWith("ERROR:", StringComparison.Ordinal));
        var output = Array.FindLastIndex(lines, l => l.StartsWith("Command Output:", StringComparison.Ordinal));
        var shown = Digest().Replace(at < 0 ? Last(lines) : lines[at]["ERROR:".Length..].Trim(), "");
        if (at < 0 || output <= at) return Cut(shown.TrimEnd('.'), Longest) + ".";

        // From a long output, the line that kubeadm or the engine marks as its error. It is the cause: kind's words give way to it.
        var error = Array.FindLastIndex(lines, l => l.StartsWith("error", StringComparison.OrdinalIgnoreCase));
        var cause = error > output ? lines[error] : lines[output]["Command Output:".Length..].Trim();
        cause = Cut(Digest().Replace(cause, "").TrimEnd('.'), Longest);
        return $"{Cut(shown, Longest * 3 / 2 - cause.Length)} ({cause}).";
    }

    private static string Cut(string text, int most) => text.Length > most ? text[..most] + "…" : text;

    // A stack trace may come last.
    private static string Last(string[] lines) =>
        Array.FindLast(lines, l => l.StartsWith("error", StringComparison.OrdinalIgnoreCase)) ?? lines.LastOrDefault("nothing");

    [GeneratedRegex("@sha256:[0-9a-f]{64}")]
    private static partial Regex Digest();

    [GeneratedRegex(@"\x1b\[[0-9;]*[A-Za-z]|\r")]
    private static partial Regex Control();
}
