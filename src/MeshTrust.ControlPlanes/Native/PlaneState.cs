using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// What outlives a run of a build: <c>native/&lt;cluster&gt;/</c> with etcd's data, the credentials, the port and a lock that its process holds.
/// Directories 0700, files 0600.
/// </summary>
internal sealed class PlaneState : IDisposable
{
    private FileStream? _lock;

    public PlaneState(string location, string cluster)
    {
        Location = location;
        Cluster = cluster;
        Guarded(() => PrivateFile.CreateDirectory(location));
    }

    public string Location { get; }

    public string Cluster { get; }

    public string DataDirectory => Path.Combine(Location, "etcd");

    /// <summary>Whether an earlier run was ready with this state.</summary>
    public bool WasThere => Directory.Exists(Path.Combine(DataDirectory, "member")) && ReadPort() != 0;

    private string IdentityFile => Path.Combine(Location, "identity.json");

    private string TokenKeyFile => Path.Combine(Location, "token-key.pem");

    private string PortFile => Path.Combine(Location, "port");

    /// <summary>False where another process holds it.</summary>
    public bool TryLock()
    {
        try
        {
            _lock ??= PrivateFile.OpenExclusive(Path.Combine(Location, "lock"));
            WholeFile.Sweep(Location);
            PrivateFile.CreateDirectory(DataDirectory);
            return true;
        }
        catch (IOException e) when (DiskFault.IsTaken(e))
        {
            return false;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Location, e);
        }
    }

    /// <summary>The credentials of the last run, or new ones where there are none or they end soon; only with the lock.</summary>
    /// <exception cref="MeshTrustException">MT2125: they cannot be read.</exception>
    public PlaneIdentity Identity(DateTimeOffset now)
    {
        if (ReadIdentity() is { } kept)
        {
            if (kept.Server.IsFresh(now)) return kept;
            kept.Dispose();
        }

        var identity = PlaneIdentity.Create(Cluster, now);
        Guarded(() =>
        {
            WholeFile.Replace(TokenKeyFile, Encoding.ASCII.GetBytes(identity.TokenKeyPem), secret: true);
            WholeFile.Replace(IdentityFile, identity.Server.ToJson(), secret: true);
        });
        return identity;
    }

    /// <summary>The credentials; null where there are none yet.</summary>
    /// <exception cref="MeshTrustException">MT2125: they cannot be read.</exception>
    public PlaneIdentity? ReadIdentity()
    {
        if (!File.Exists(IdentityFile) || !File.Exists(TokenKeyFile)) return null;
        try
        {
            var token = File.ReadAllText(TokenKeyFile);
            using (var key = ECDsa.Create()) key.ImportFromPem(token);
            return new PlaneIdentity(ServerIdentity.Parse(File.ReadAllBytes(IdentityFile)), token);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException)
        {
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2125", IdentityFile,
                $"The credentials of native cluster '{Cluster}' cannot be read. Nothing was changed.",
                $"Put {IdentityFile} and {TokenKeyFile} back from a copy, or move {Location} away to begin with an empty cluster."));
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, IdentityFile, e);
        }
    }

    /// <summary>The port of the last run; 0 where that is not known.</summary>
    public int ReadPort()
    {
        try
        {
            return int.TryParse(File.ReadAllText(PortFile), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 ? port : 0;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // Only a preference: any port will do.
            return 0;
        }
    }

    public void SavePort(int port) => Guarded(() => WholeFile.ReplaceIfChanged(PortFile, Encoding.ASCII.GetBytes(port.ToString(CultureInfo.InvariantCulture)), secret: true));

    public void Dispose() => Interlocked.Exchange(ref _lock, null)?.Dispose();

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, Location, e);
        }
    }
}
