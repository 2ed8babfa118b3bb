using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>The options of a set of native control planes.</summary>
public sealed partial record NativeControlPlanesOptions
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    /// <summary>
    /// One name for each control plane, as of clusters (DNS-1123, at most 40 characters); it names cluster, context and user in the
    /// kubeconfig.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = ["cluster1"];

    /// <summary>The programs to run; null searches for them.</summary>
    public ControlPlaneBinaries? Binaries { get; init; }

    /// <summary>
    /// The parent of the directory of this set. Null uses <c>/dev/shm</c> if it is large enough and etcd cannot skip fsync, else the
    /// system's temporary directory. Keep it short: the path of a Unix socket has at most 107 bytes.
    /// </summary>
    public string? RunDirectory { get; init; }

    /// <summary>
    /// How long each process may take to be ready; null for KUBEBUILDER_CONTROLPLANE_START_TIMEOUT (<c>90s</c>, <c>1m30s</c>), else 60 s.
    /// </summary>
    public TimeSpan? StartTimeout { get; init; }

    /// <summary>
    /// How many control planes start at once; null for twice the number of processors, at least 4: each waits a good part of its time.
    /// </summary>
    public int? Parallel { get; init; }

    /// <summary>Whether everything stays on disk after a failed start, not only the logs: data, certificates, keys.</summary>
    public bool KeepOnFailure { get; init; }

    /// <summary>More flags for etcd (<c>--name=value</c>); one that is set already is replaced.</summary>
    public IReadOnlyList<string> ExtraEtcdFlags { get; init; } = [];

    /// <summary>More flags for kube-apiserver (<c>--name=value</c>); one that is set already is replaced.</summary>
    public IReadOnlyList<string> ExtraApiServerFlags { get; init; } = [];

    /// <summary>How kube-apiserver reaches etcd.</summary>
    internal EtcdTransport EtcdTransport { get; init; } = EtcdTransport.Auto;

    /// <summary>The clock for certificates.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <exception cref="MeshTrustException">MT2127: the variable is not a valid duration.</exception>
    internal TimeSpan ReadTimeout()
    {
        const string Variable = "KUBEBUILDER_CONTROLPLANE_START_TIMEOUT";
        if (StartTimeout is { } set) return set;
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text) return DefaultTimeout;
        var match = GoDuration().Match(text);
        var time = TimeSpan.FromHours(Number(1)) + TimeSpan.FromMinutes(Number(2))
            + TimeSpan.FromSeconds(Number(3)) + TimeSpan.FromMilliseconds(Number(4));
        return time > TimeSpan.Zero ? time : throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2127", Variable,
            $"'{Text.OneLine(text, 40)}' is not a valid duration.",
            "Use a number with a unit, such as 90s or 1m30s, or unset the variable."));

        double Number(int group) => match.Groups[group].Success ? double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(
        @"^(?:([0-9]{1,3}(?:\.[0-9]{1,3})?)h)?(?:([0-9]{1,5}(?:\.[0-9]{1,3})?)m)?(?:([0-9]{1,6}(?:\.[0-9]{1,3})?)s)?(?:([0-9]{1,9})ms)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex GoDuration();
}

/// <summary>How kube-apiserver reaches its etcd, which requires no credentials.</summary>
internal enum EtcdTransport
{
    /// <summary>A Unix socket if the platform, the length of the path and etcd allow it, else TCP.</summary>
    Auto,

    /// <summary>A Unix socket in a directory that only its owner can enter.</summary>
    Unix,

    /// <summary>TCP on loopback: every user of the machine can read and write the data of the control plane.</summary>
    Tcp,
}
