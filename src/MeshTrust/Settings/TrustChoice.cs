
namespace MeshTrust.Settings;

/// <summary>What the common trust is to be: from arguments, variables and the file.</summary>
internal sealed class TrustChoice(ArgumentSet given, ProblemCollection problems)
{
    /// <summary>The trust; what nobody says is as in Istio's common.mk.</summary>
    public TrustSpec Choose(TopologyDocument? document)
    {
        var usual = TrustSpec.Default;
        var root = Authority("rootca", usual.Root, document?.Root);
        var intermediate = Authority("intermediate", usual.Intermediate, document?.Intermediate);
        var names = given.Read<IReadOnlyList<string>>("intermediate-san-dns", NameReaders.DnsNames)?.Value ?? document?.Intermediate.DnsNames ?? usual.Intermediate.DnsNames;
        var (certificate, key) = Brought(document?.Root);
        return new TrustSpec
        {
            Namespace = given.Read<string>("istio-namespace", NameReaders.Namespace)?.Value ?? document?.Namespace ?? usual.Namespace,
            TrustDomain = given.Read<string>("trust-domain", NameReaders.TrustDomain)?.Value ?? document?.TrustDomain ?? usual.TrustDomain,
            RenewBefore = given.Read<RenewalThreshold>("renew-before", ValueReaders.Renewal)?.Value ?? document?.RenewBefore ?? usual.RenewBefore,
            MinimalChain = given.IsGiven("minimal-chain") ? given.Switch("minimal-chain") : document?.MinimalChain ?? false,
            Root = root,
            Intermediate = intermediate with { DnsNames = names },
            RootCertificateFile = certificate,
            RootKeyFile = key,
        };
    }

    private CertificateAuthoritySpec Authority(string family, CertificateAuthoritySpec usual, AuthorityDocument? document) => new()
    {
        CommonName = given.Read<string>($"{family}-cn", NameReaders.SubjectText)?.Value ?? document?.CommonName ?? usual.CommonName,
        Organization = given.Read<string>($"{family}-org", NameReaders.SubjectText)?.Value ?? document?.Organization ?? usual.Organization,
        Days = given.Read($"{family}-days", ValueReaders.Number(1, 36500))?.Value ?? document?.Days ?? usual.Days,
        Key = given.Read<KeyAlgorithm>($"{family}-keysz", ValueReaders.Key)?.Value ?? document?.Key ?? usual.Key,
    };

    private (string? Certificate, string? Key) Brought(AuthorityDocument? document)
    {
        var certificate = given.Read<string>("rootca-cert", NameReaders.FilePath);
        var key = given.Read<string>("rootca-key", NameReaders.FilePath);
        if (given.IsGiven("rootca-cert") != given.IsGiven("rootca-key"))
        {
            var (there, lacking) = given.IsGiven("rootca-cert") ? ("--rootca-cert", "--rootca-key") : ("--rootca-key", "--rootca-cert");
            problems.Add("MT0010", there, $"It is given without {lacking}.", $"Add {lacking}: a root of your own needs both.");
        }

        var (certificateFile, keyFile) = certificate is null || key is null ? (document?.CertificateFile, document?.KeyFile) : (certificate.Value, key.Value);
        if (certificateFile is not null && keyFile is not null)
        {
            string[] unused = ["rootca-cn", "rootca-org", "rootca-days", "rootca-keysz"];
            foreach (var name in unused.Where(given.IsGiven))
            {
                problems.Add("MT0011", $"--{name}", "It describes a root to be made, and a root of your own is given.", $"Leave --{name} out, or let MeshTrust make the root.");
            }
        }

        return (certificateFile, keyFile);
    }
}
