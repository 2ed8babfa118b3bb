using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>The root that the user brings: two files, read with the same strictness as our own.</summary>
internal static class BroughtRoot
{
    /// <summary>The root, or null where the user brings none.</summary>
    internal static RootCa? Read(TrustSpec trust)
    {
        if (trust.RootCertificateFile is null && trust.RootKeyFile is null) return null;
        if (trust.RootCertificateFile is null) throw Fault(PkiProblem.BroughtHalf(trust.RootKeyFile!, "certificate"));
        if (trust.RootKeyFile is null) throw Fault(PkiProblem.BroughtHalf(trust.RootCertificateFile, "key"));
        var certificate = StoreFile.Read(trust.RootCertificateFile) ?? throw Fault(PkiProblem.BroughtMissing(trust.RootCertificateFile));
        return RootCa.FromFiles(trust.RootCertificateFile, certificate, trust.RootKeyFile, KeyFile(trust));
    }

    /// <summary>The key's file as it is, so that the store holds what the user brought, byte for byte.</summary>
    internal static byte[] KeyFile(TrustSpec trust) => StoreFile.Read(trust.RootKeyFile!) ?? throw Fault(PkiProblem.BroughtMissing(trust.RootKeyFile!));

    private static MeshTrustException Fault(Problem problem) => new(Stage.CertificateAuthority, problem);
}
