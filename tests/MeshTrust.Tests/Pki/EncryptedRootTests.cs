using System.Security.Cryptography;
using System.Text;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Pki;

/// <summary>A root key that is encrypted at rest: opened only to sign, and never lost.</summary>
[TestFixture]
public sealed class EncryptedRootTests
{
    private const string Secret = "correct horse bättery";
    private const string Begin = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    private string Write(string file, string text)
    {
        var path = Path.Combine(_fixture.Temporary, file);
        File.WriteAllText(path, text);
        return path;
    }

    private void Use(string? text) => _fixture.Trust = _fixture.Trust with { RootPassphrase = text is null ? null : new(Write("passphrase", text)) };

    private string KeyFile => File.ReadAllText(_fixture.Store.RootKeyPath);

    private static async Task<Problem> ProblemAsync(Func<Task> act)
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(act);
        Assert.That(fault!.ToString(), Does.Not.Contain(Secret));
        return fault.Problems.Single();
    }

    [Test]
    public async Task Is_encrypted_when_it_is_issued_and_opened_only_to_sign()
    {
        Use(Secret + "\n");
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east");
        var (file, root) = (KeyFile, _fixture.Store.ReadRoot());
        Assert.That((file[..Begin.Length], root.HasKey, root.Key), Is.EqualTo((Begin, true, (PrivateKeyPem?)null)));
        if (!OperatingSystem.IsWindows()) Assert.That(StoreFixture.ModeOf(_fixture.Store.RootKeyPath), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.ReadAllText(_fixture.PathOf("east/ca-key.pem")), Does.StartWith("-----BEGIN PRIVATE KEY-----"), "istiod needs it");

        // Nothing is signed: no passphrase is needed, and a wrong one is not noticed.
        foreach (var passphrase in new[] { null, "wrong", Secret })
        {
            Use(passphrase);
            Assert.That(((await _fixture.RootAsync()).Kind, (await _fixture.ClustersAsync("east")).Single().Kind), Is.EqualTo((IssueKind.Kept, IssueKind.Kept)));
        }

        Use(null);
        Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("east", "west"))).Id, Is.EqualTo("MT5142"));
        Use("wrong");
        Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("east", "west", "north"))).Id, Is.EqualTo("MT5141"), "once for all clusters");
        Use(Secret + "\r\nanother line");
        Assert.That((await _fixture.ClustersAsync("east", "west")).Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Kept, IssueKind.Issued }));
        Assert.That(KeyFile, Is.EqualTo(file));
    }

    [Test]
    public async Task A_store_is_encrypted_in_place()
    {
        await _fixture.OneClusterAsync();
        Use(Secret);
        var outcome = await _fixture.RootAsync();
        Assert.That((outcome.Kind, outcome.Reason), Is.EqualTo((IssueKind.Kept, "root-key.pem is encrypted now.")));
        Assert.That((await _fixture.RootAsync()).Reason, Is.Null);
        Assert.That(KeyFile, Does.StartWith(Begin));
        Assert.That(Directory.EnumerateFiles(_fixture.Store.Location, "*root-key*"), Is.EqualTo(new[] { _fixture.Store.RootKeyPath }), "no plain copy");
        Assert.That((await _fixture.ClustersAsync("east", "west")).Select(o => o.Kind), Is.EqualTo(new[] { IssueKind.Kept, IssueKind.Issued }), "the same key");
    }

    [TestCase("P-256")]
    [TestCase("RSA")]
    public async Task A_root_of_ones_own_may_be_encrypted_or_become_so(string type)
    {
        var own = CraftedCertificate.Root(new CraftedSpec { Key = type == "RSA" ? CraftedKey.Rsa(2048) : CraftedKey.Curve(), NotBefore = _fixture.Time.GetUtcNow().AddDays(-1) });
        using AsymmetricAlgorithm key = type == "RSA" ? RSA.Create() : ECDsa.Create();
        key.ImportFromPem(own.Key.Pkcs8);
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem(Encoding.UTF8.GetBytes(Secret), new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA512, 1000));
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = Write("own.pem", own.Pem), RootKeyFile = Write("own-key.pem", encrypted) };
        Assert.That((await ProblemAsync(_fixture.RootAsync)).Id, Is.EqualTo("MT5142"));
        Use("wrong");
        Assert.That((await ProblemAsync(_fixture.RootAsync)).Id, Is.EqualTo("MT5141"));
        Use(Secret);
        Assert.That(((await _fixture.RootAsync()).Kind, KeyFile), Is.EqualTo((IssueKind.Imported, encrypted)), "byte for byte");
        Assert.That((await _fixture.ClustersAsync("east")).Single().Material.Root, Is.EqualTo(own.Document));

        // One that is not encrypted is encrypted on its way in.
        Directory.Delete(_fixture.Store.Location, recursive: true);
        Write("own-key.pem", own.Key.Traditional);
        await _fixture.RootAsync();
        Assert.That(KeyFile, Does.StartWith(Begin));
        Assert.That((await _fixture.ClustersAsync("east")).Single().Material.Root, Is.EqualTo(own.Document));

        // The key of another root, or of a type that Istio rejects, is found out before it signs.
        _fixture.Trust = StoreFixture.QuickTrust();
        Use(Secret);
        foreach (var (curve, id) in new[] { (ECCurve.NamedCurves.nistP256, "MT5104"), (ECCurve.NamedCurves.nistP521, "MT5111") })
        {
            using var other = ECDsa.Create(curve);
            File.WriteAllText(_fixture.Store.RootKeyPath, other.ExportEncryptedPkcs8PrivateKeyPem(Encoding.UTF8.GetBytes(Secret), new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)));
            Assert.That((await ProblemAsync(() => _fixture.ClustersAsync("west"))).Id, Is.EqualTo(id));
        }
    }

    [Test]
    public void A_passphrase_is_read_once_and_cleared()
    {
        var path = Write("p", Secret + "\n");
        var passphrase = new RootPassphrase(path);
        var bytes = passphrase.Read();
        File.Delete(path);
        Assert.That(Encoding.UTF8.GetString(passphrase.Read()), Is.EqualTo(Secret));
        Assert.That($"{passphrase}{_fixture.Trust with { RootPassphrase = passphrase }}", Does.Not.Contain(Secret));
        passphrase.Dispose();
        Assert.That(bytes, Is.All.Zero);
    }

    [Test]
    public void A_passphrase_that_cannot_be_had_is_a_problem_and_never_empty()
    {
        Assert.That(Of(Path.Combine(_fixture.Temporary, Secret)), Does.StartWith("MT5143").And.Not.Contain(Secret), "not a path but the passphrase");
        foreach (var source in new[] { Write("empty", ""), Write("line", "\nsecond"), Write("long", new string('x', 5000)), _fixture.Temporary, RootPassphrase.Prompt })
            Assert.That(Of(source), Does.StartWith("MT5143"), source);

        bool? asked = null;
        using var prompt = new RootPassphrase(RootPassphrase.Prompt).In("/somewhere");
        prompt.Ask = isNew => [(byte)((asked = isNew) == true ? 'n' : 'o')];
        Assert.That((prompt.Read(isNew: true), asked), Is.EqualTo((new[] { (byte)'n' }, true)));

        static string Of(string source) => Assert.Throws<MeshTrustException>(() => new RootPassphrase(source).Read())!.Message;
    }

    [Test]
    public async Task Lint_inspect_and_renewal_take_it_for_what_it_is()
    {
        Use(Secret);
        await _fixture.OneClusterAsync();
        var files = PemFiles.Read([_fixture.Store.Location]);
        Assert.That(files.SelectMany(f => f.Document.Defects), Is.Empty);
        Assert.That(CertificateInspection.Of(files, _fixture.Time.GetUtcNow()).Files.Single(f => f.Path == "root-key.pem").Others, Is.EqualTo(new[] { "ENCRYPTED PRIVATE KEY" }));
        Assert.That(RenewalReport.Read([], _fixture.Store.Location, RenewalThreshold.Default, _fixture.Time.GetUtcNow()).ExitCode, Is.EqualTo(RenewalReport.Fine));
    }
}
