namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Which binaries are wanted, and where to look for them.</summary>
public sealed record BinaryRequest
{
    /// <summary>The path of etcd itself. Nothing else is looked at for it.</summary>
    public string? Etcd { get; init; }

    /// <summary>The path of kube-apiserver itself. Nothing else is looked at for it.</summary>
    public string? ApiServer { get; init; }

    /// <summary>The path of kubectl itself. Nothing else is looked at for it.</summary>
    public string? Kubectl { get; init; }

    /// <summary>A directory that holds them; looked at after the variables that envtest reads.</summary>
    public string? Directory { get; init; }

    /// <summary>Which versions of kube-apiserver do; any by default.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>The store that is shared with Go's setup-envtest; null for where setup-envtest keeps it on this platform.</summary>
    public string? StoreDirectory { get; init; }

    /// <summary>The variables to read; null for those of this process.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }
}
