using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.IO;
using MeshTrust.Checks;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Reads the properties of this machine. It starts nothing and changes nothing; what cannot be read is left out.</summary>
internal sealed class HostReader(ToolHost tools, TimeProvider time)
{
    public string Proc { get; init; } = "/proc";

    internal HostSnapshot Read(MeshTrustSettings settings, EngineInfo? engine) => new()
    {
        OperatingSystem = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "macos" : "windows",
        InotifyInstances = Number("sys/fs/inotify/max_user_instances"),
        InotifyWatches = Number("sys/fs/inotify/max_user_watches"),
        MemoryAvailable = MemoryAvailable(),
        HasIpv6 = HasIpv6(),
        EngineDisk = engine is { IsRemote: false, RootDirectory.Length: > 0 } ? Disk(engine.RootDirectory) : null,
        TemporaryDisk = Disk(Path.GetTempPath()),
        Locks = [.. Kubeconfigs(settings).Select(file => $"{file}.lock").Where(File.Exists)
            .Select(file => new KubeconfigLock(file, time.GetUtcNow() - File.GetLastWriteTimeUtc(file)))],
        HasKubectl = tools.Tools.Resolve(["kubectl", "kubectl.exe"]) is not null,
    };

    private IEnumerable<string> Kubeconfigs(MeshTrustSettings settings)
    {
        var home = tools.Environment.WorkingDirectory.FullPath;
        var directory = Path.GetFullPath(settings.Run.KubeconfigDirectory, home);
        var own = settings.Topology.Clusters.SelectMany(c => new[] { c.Name.Value, $"{c.Name}.internal" })
            .Select(name => Path.Combine(directory, name));
        return settings.Run.MergeKubeconfig is { Length: > 0 } merged ? own.Append(Path.GetFullPath(merged, home)) : own;
    }

    private long? Number(string file) => long.TryParse(Text(file), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number : null;

    private long? MemoryAvailable()
    {
        var line = Text("meminfo")?.Split('\n').FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return long.TryParse(line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1), NumberStyles.None,
            CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : null;
    }

    // Unknown without /proc; with it, a kernel without IPv6 has no if_inet6.
    private bool? HasIpv6() => !Directory.Exists(Path.Combine(Proc, "net")) ? null
        : File.Exists(Path.Combine(Proc, "net/if_inet6")) && Text("sys/net/ipv6/conf/all/disable_ipv6") is not "1";

    private string? Text(string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(Proc, file)).Trim();
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return null;
        }
    }

    private static DiskSpace? Disk(string path)
    {
        // The engine may not have created its root directory yet: use the disk of its nearest existing parent.
        var there = Path.GetFullPath(path);
        while (!Directory.Exists(there) && Path.GetDirectoryName(there) is { } parent) there = parent;
        try
        {
            var drive = new DriveInfo(there);
            return new DiskSpace(path, drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault) || fault is ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>Whether something listens on a port of this machine, tested by binding it briefly.</summary>
internal static class HostPort
{
    /// <summary>
    /// Whether it is taken. A port that this user may not bind, or with an address of another machine, counts as free: the engine may be
    /// allowed more.
    /// </summary>
    internal static bool IsTaken(WantedPort port)
    {
        if (port.Protocol is not ("tcp" or "udp")) return false;
        var address = IPAddress.TryParse(port.Address, out var given) ? given : IPAddress.Any;
        var isTcp = port.Protocol == "tcp";
        try
        {
            using var socket = new Socket(address.AddressFamily, isTcp ? SocketType.Stream : SocketType.Dgram,
                isTcp ? ProtocolType.Tcp : ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, port.Port));
            if (isTcp) socket.Listen();
            return false;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }
}
