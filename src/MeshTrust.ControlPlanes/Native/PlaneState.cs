using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// What outlives a run of a build: <c>native/&lt;cluster&gt;/</c> with etcd's data, the credentials, the port and a lock that its process
/// holds. Directories 0700, files 0600.
/// </summary>
internal sealed class PlaneState : IDisposable
{
    private FileLock? _lock;

    public PlaneState(string location, string cluster)
    {
        Location = location;
        Cluster = cluster;
        PlaneDisk.Guarded(location, () => AtomicFile.CreatePrivateDirectory(location));
    }

    public string Location { get; }
    public string Cluster { get; }
    public string DataDirectory => Path.Combine(Location, "etcd");

    /// <summary>Whether an earlier run was ready with this state.</summary>
    public bool WasThere => Directory.Exists(Path.Combine(DataDirectory, "member")) && ReadPort() != 0;

    private string IdentityFile => Path.Combine(Location, "identity.json");
    private string TokenKeyFile => Path.Combine(Location, "token-key.pem");
    private string PortFile => Path.Combine(Location, "port");
    private string VersionsFile => Path.Combine(Location, "versions");

    /// <summary>False if another process holds it.</summary>
    public bool TryLock() => PlaneDisk.Guarded(Location, () =>
    {
        if ((_lock ??= FileLock.TryTake(Path.Combine(Location, "lock"))) is null) return false;
        AtomicFile.Sweep(Location);
        AtomicFile.CreatePrivateDirectory(DataDirectory);
        return true;
    });

    /// <summary>The credentials of the last run, or new ones if there are none or they expire soon; only with the lock.</summary>
    /// <exception cref="MeshTrustException">MT2125: they cannot be read.</exception>
    public PlaneIdentity Identity(DateTimeOffset now)
    {
        if (ReadIdentity() is { } kept)
        {
            if (kept.Server.IsFresh(now)) return kept;
            kept.Dispose();
        }

        var identity = PlaneIdentity.Create(Cluster, now);
        PlaneDisk.Guarded(Location, () =>
        {
            AtomicFile.Replace(TokenKeyFile, Encoding.ASCII.GetBytes(identity.TokenKeyPem), secret: true);
            AtomicFile.Replace(IdentityFile, identity.Server.ToJson(), secret: true);
        });
        return identity;
    }

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
                $"Restore {IdentityFile} and {TokenKeyFile} from a copy, or move {Location} away to start with an empty cluster."));
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, IdentityFile, e);
        }
    }

    /// <summary>The port of the last run; 0 if unknown.</summary>
    public int ReadPort()
    {
        try
        {
            var isNumber = int.TryParse(File.ReadAllText(PortFile), NumberStyles.None, CultureInfo.InvariantCulture, out var port);
            return isNumber && port is > 0 and < 65536 ? port : 0;
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            // Only a preference: any port works.
            return 0;
        }
    }

    public void SavePort(int port) =>
        PlaneDisk.Guarded(Location, () => AtomicFile.ReplaceIfChanged(PortFile, Encoding.ASCII.GetBytes($"{port}"), secret: true));

    /// <summary>Notes which programs write this state; from then on older ones may not read it.</summary>
    public void SaveVersions(ControlPlaneBinaries programs) => PlaneDisk.Guarded(Location, () => AtomicFile.ReplaceIfChanged(
        VersionsFile, Encoding.ASCII.GetBytes($"{programs.Version} {programs.EtcdVersion}"), secret: true));

    /// <summary>
    /// MT2130 if these programs cannot read the state: Kubernetes cannot go back by a minor version, and etcd neither back nor more than
    /// one minor version ahead. Null if they can, or if the state does not say what wrote it.
    /// </summary>
    public Problem? VersionFault(ControlPlaneBinaries programs)
    {
        if (!WasThere || !File.Exists(VersionsFile)) return null;
        var wrote = PlaneDisk.Guarded(Location, () => File.ReadAllText(VersionsFile)).Split(' ');
        var (kubernetes, etcd) = (Minors(wrote[0], programs.Version), Minors(wrote[^1], programs.EtcdVersion));
        if (kubernetes >= 0 && etcd is 0 or 1) return null;
        return new Problem("MT2130", Cluster,
            $"The state of native cluster '{Cluster}' was written by kube-apiserver {wrote[0]} on etcd {wrote[^1]}, "
            + $"and kube-apiserver {programs.Version} on etcd {programs.EtcdVersion} cannot read it. Nothing was started.",
            $"Use programs of those versions (--binaries-version={wrote[0]}), or move {Location} away to start with an empty cluster.");

        static int Minors(string from, string to) =>
            KubernetesVersion.TryParse(from) is { } old && KubernetesVersion.TryParse(to) is { } now && old.Major == now.Major
                ? now.Minor - old.Minor
                : 0;
    }

    public void Dispose() => Interlocked.Exchange(ref _lock, null)?.Dispose();
}

/// <summary>
/// The credentials of one control plane: CA, serving and administrator's certificate, and the key that signs tokens of service accounts.
/// </summary>
internal sealed class PlaneIdentity(ServerIdentity server, string tokenKeyPem) : IDisposable
{
    public ServerIdentity Server { get; } = server;

    /// <summary>PKCS#8, ECDSA P-256: secret.</summary>
    public string TokenKeyPem { get; } = tokenKeyPem;

    public static PlaneIdentity Create(string name, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new PlaneIdentity(ServerIdentity.Create(name, now), key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Writes the files that kube-apiserver reads, 0600.</summary>
    public void Write(string directory)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(TokenKeyPem);
        Put("ca.crt", Server.Ca.CertificatePem);
        Put("server.crt", Server.Server.CertificatePem);
        Put("server.key", Server.Server.KeyPem);
        Put("sa.key", TokenKeyPem);
        Put("sa.pub", key.ExportSubjectPublicKeyInfoPem() + "\n");

        void Put(string file, string text) =>
            AtomicFile.Replace(Path.Combine(directory, file), Encoding.ASCII.GetBytes(text), secret: true);
    }

    /// <summary>No text includes keys.</summary>
    public override string ToString() => "the credentials of a control plane";

    public void Dispose() => Server.Dispose();
}
