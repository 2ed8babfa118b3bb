using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>What a set of native control planes is to be.</summary>
public sealed record NativeControlPlanesOptions
{
    /// <summary>One name for each control plane, as of clusters (DNS-1123, at most 40 characters); it names cluster, context and user in the kubeconfig.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["cluster1"];

    /// <summary>The programs to run; null looks for them with <see cref="BinaryLocator"/>.</summary>
    public ControlPlaneBinaries? Binaries { get; init; }

    /// <summary>
    /// The directory below which the directory of this set is made. Null takes <c>/dev/shm</c> where it is large enough and etcd cannot
    /// leave out fsync, else the system's temporary directory. Keep it short: the path of a Unix socket has at most 107 bytes.
    /// </summary>
    public string? RunDirectory { get; init; }

    /// <summary>How long each process may take to be ready; null for KUBEBUILDER_CONTROLPLANE_START_TIMEOUT (<c>90s</c>, <c>1m30s</c>), else 60 s.</summary>
    public TimeSpan? StartTimeout { get; init; }

    /// <summary>How many control planes start at once; null for twice the number of processors, at least 4: each waits a good part of its time.</summary>
    public int? Parallel { get; init; }

    /// <summary>Whether everything stays on disk after a failed start, not only the logs: data, certificates, keys.</summary>
    public bool KeepOnFailure { get; init; }

    /// <summary>More flags for etcd (<c>--name=value</c>); one that is set already is replaced.</summary>
    public IReadOnlyList<string> ExtraEtcdFlags { get; init; } = [];

    /// <summary>More flags for kube-apiserver (<c>--name=value</c>); one that is set already is replaced.</summary>
    public IReadOnlyList<string> ExtraApiServerFlags { get; init; } = [];

    /// <summary>How kube-apiserver reaches etcd.</summary>
    public EtcdTransport EtcdTransport { get; init; } = EtcdTransport.Auto;

    /// <summary>The clock for certificates.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
