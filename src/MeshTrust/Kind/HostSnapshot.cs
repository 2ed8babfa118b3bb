namespace MeshTrust.Kind;

/// <summary>What this machine was found to be, read at one time. What could not be read is null.</summary>
public sealed record HostSnapshot
{
    /// <summary><c>linux</c>, <c>macos</c> or <c>windows</c>.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary><c>fs.inotify.max_user_instances</c>.</summary>
    public long? InotifyInstances { get; init; }

    /// <summary><c>fs.inotify.max_user_watches</c>.</summary>
    public long? InotifyWatches { get; init; }

    /// <summary>Memory that a new process can have, in bytes (<c>MemAvailable</c>).</summary>
    public long? MemoryAvailable { get; init; }

    /// <summary>Whether the kernel has IPv6.</summary>
    public bool? HasIpv6 { get; init; }

    /// <summary>The file system of the engine's root directory; null where that is another machine's.</summary>
    public DiskSpace? EngineDisk { get; init; }

    /// <summary>The file system of the directory for temporary files, where kind writes its configuration.</summary>
    public DiskSpace? TemporaryDisk { get; init; }

    /// <summary>Ports that were asked for and that something listens on.</summary>
    public IReadOnlyList<WantedPort> BusyPorts { get; init; } = [];

    /// <summary>Lock files beside the kubeconfigs that will be written.</summary>
    public IReadOnlyList<KubeconfigLock> Locks { get; init; } = [];

    /// <summary>Whether kubectl is on the PATH.</summary>
    public bool HasKubectl { get; init; }
}
