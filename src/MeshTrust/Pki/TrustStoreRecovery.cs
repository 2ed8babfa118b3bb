using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// Clears up after a run that was killed. Whoever writes holds the store's lock, so what bears our temporary names while we hold it belongs to nobody.
/// </summary>
internal static class TrustStoreRecovery
{
    /// <summary>A key without its certificate, and that certificate still waiting under its temporary name: the last step of writing a root is made up for.</summary>
    internal static void FinishRoot(TrustStore store)
    {
        if (!File.Exists(store.RootKeyPath) || Path.Exists(store.RootCertPath)) return;
        foreach (var waiting in Entries(store.Location, StoreFile.TemporaryPrefix + CacertsFile.RootCert + "-*" + StoreFile.TemporarySuffix))
        {
            if (!Fits(store, waiting)) continue;
            try
            {
                File.Move(waiting, store.RootCertPath);
                return;
            }
            catch (Exception fault) when (DiskFault.IsOne(fault))
            {
                throw DiskFault.From(Stage.CertificateAuthority, store.RootCertPath, fault);
            }
        }
    }

    /// <summary>Removes everything with our temporary names from the store and from these clusters' directories.</summary>
    internal static void Sweep(TrustStore store, IEnumerable<ClusterName> clusters)
    {
        foreach (var stray in Entries(store.Location, TrustStore.TemporaryPattern)) Remove(stray);
        foreach (var cluster in clusters)
        {
            foreach (var stray in Entries(store.ClusterDirectory(cluster), TrustStore.TemporaryPattern)) Remove(stray);
        }
    }

    /// <summary>Removes a file or a directory where it is there. It is litter: that it cannot be removed is no reason to fail.</summary>
    internal static void Remove(string path)
    {
        try
        {
            if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null) Directory.Delete(path, recursive: true);
            else File.Delete(path);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            // The next run tries again.
        }
    }

    private static bool Fits(TrustStore store, string certificate)
    {
        try
        {
            if (StoreFile.Read(certificate) is not { } certificateFile || StoreFile.Read(store.RootKeyPath) is not { } key) return false;
            RootCa.FromFiles(certificate, certificateFile, store.RootKeyPath, key);
            return true;
        }
        catch (MeshTrustException)
        {
            return false;
        }
    }

    private static string[] Entries(string directory, string pattern)
    {
        try
        {
            return Directory.Exists(directory) ? Directory.GetFileSystemEntries(directory, pattern) : [];
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return [];
        }
    }
}
