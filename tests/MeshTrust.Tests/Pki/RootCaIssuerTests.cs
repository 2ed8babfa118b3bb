using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class RootCaIssuerTests
{
    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    private async Task<MeshTrustException> FaultAsync()
    {
        try
        {
            await _fixture.RootAsync();
        }
        catch (MeshTrustException fault)
        {
            return fault;
        }

        Assert.Fail("No fault was thrown.");
        return null!;
    }

    [Test]
    public async Task Issues_a_root_as_the_Makefile_names_it()
    {
        var outcome = await _fixture.RootAsync();
        var root = outcome.Material.Certificate;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Issued));
            Assert.That(root.Subject, Is.EqualTo("O=Istio, CN=Root CA"));
            Assert.That(root.SubjectAttributes.Select(a => a.StringType).Distinct(), Is.EqualTo(new[] { "UTF8String" }));
            Assert.That(root.IsCa && root.BasicConstraintsCritical && root.KeyUsageCritical, Is.True);
            Assert.That(root.PathLength, Is.Null);
            Assert.That(root.KeyUsage, Is.EqualTo(CertificateKeyUsage.KeyCertSign | CertificateKeyUsage.CrlSign | CertificateKeyUsage.DigitalSignature));
            Assert.That(root.NotBefore, Is.EqualTo(new DateTimeOffset(2026, 8, 22, 9, 55, 0, TimeSpan.Zero)));
            Assert.That(root.NotAfter, Is.EqualTo(new DateTimeOffset(2026, 8, 22, 10, 0, 0, TimeSpan.Zero).AddDays(3650)));
            Assert.That(root.SerialBytes.Length, Is.EqualTo(16));
            Assert.That(root.SerialBytes.Span[0], Is.InRange(1, 0x7f));
            Assert.That(root.SubjectKeyId, Is.EqualTo(outcome.Material.Key!.KeyId));
            Assert.That(File.ReadAllText(_fixture.Store.RootCertPath), Is.EqualTo(root.ToPem()));
        }
    }

    [Test]
    public async Task Keeps_a_root_byte_for_byte()
    {
        await _fixture.RootAsync();
        var before = _fixture.Content();
        _fixture.Time.Advance(TimeSpan.FromDays(100));
        var outcome = await _fixture.RootAsync();
        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    public async Task Says_that_the_certificate_of_a_key_is_missing()
    {
        await _fixture.RootAsync();
        File.Delete(_fixture.Store.RootCertPath);
        var before = _fixture.Content();
        var fault = await FaultAsync();
        Assert.That(fault.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT5101", _fixture.Store.RootCertPath) }));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    public async Task Rejects_a_key_of_another_root()
    {
        await _fixture.RootAsync();
        using var other = new StoreFixture();
        await other.RootAsync();
        File.Copy(other.Store.RootKeyPath, _fixture.Store.RootKeyPath, overwrite: true);
        Assert.That((await FaultAsync()).Problems.Single().Id, Is.EqualTo("MT5104"));
    }

    [Test]
    public async Task Rejects_a_broken_certificate_and_a_broken_key_at_once()
    {
        await _fixture.RootAsync();
        File.WriteAllText(_fixture.Store.RootCertPath, "garbage");
        File.WriteAllText(_fixture.Store.RootKeyPath, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        var fault = await FaultAsync();
        Assert.That(fault.Problems.Select(p => p.Id), Is.EqualTo(new[] { "MT5102", "MT5103" }));
        Assert.That(fault.Stage, Is.EqualTo(Stage.CertificateAuthority));
    }

    [Test]
    public async Task Rejects_an_expired_root_and_one_that_is_not_yet_valid()
    {
        await _fixture.RootAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(3651));
        Assert.That((await FaultAsync()).Problems.Single(), Has.Property("Id").EqualTo("MT5106").And.Property("Message").Contains("expired on"));
        using var future = new StoreFixture();
        future.Time.Advance(TimeSpan.FromDays(4000));
        await future.RootAsync();
        File.Copy(future.Store.RootCertPath, _fixture.Store.RootCertPath, overwrite: true);
        File.Copy(future.Store.RootKeyPath, _fixture.Store.RootKeyPath, overwrite: true);
        Assert.That((await FaultAsync()).Problems.Single(), Has.Property("Id").EqualTo("MT5106").And.Property("Message").Contains("not valid before"));
    }

    [Test]
    public async Task Names_every_option_that_changed_and_replaces_nothing()
    {
        await _fixture.RootAsync();
        var before = _fixture.Content();
        _fixture.Trust = _fixture.Trust with { Root = new CertificateAuthoritySpec { CommonName = "Other", Organization = "Acme", Days = 30, Key = KeyAlgorithm.EcdsaP384 } };
        var fault = await FaultAsync();
        Assert.That(fault.Problems.Select(p => p.Id), Is.All.EqualTo("MT5107").And.Exactly(4).Items);
        Assert.That(fault.Message, Does.Contain("Other").And.Contain("Acme").And.Contain("30").And.Contain("P-384"));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    public async Task Imports_the_users_root_and_keeps_it()
    {
        using var other = new StoreFixture { Trust = StoreFixture.QuickTrust() with { Root = TrustSpec.Default.Root with { CommonName = "Corporate", Key = KeyAlgorithm.EcdsaP384 } } };
        var brought = (await other.RootAsync()).Material;
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = other.Store.RootCertPath, RootKeyFile = other.Store.RootKeyPath };
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Imported));
        var again = await _fixture.RootAsync();
        Assert.That(again.Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That(again.Material.Certificate, Is.EqualTo(brought.Certificate));
        Assert.That(File.ReadAllBytes(_fixture.Store.RootKeyPath), Is.EqualTo(File.ReadAllBytes(other.Store.RootKeyPath)));
    }

    [Test]
    public async Task Rejects_the_users_root_if_another_exists()
    {
        await _fixture.RootAsync();
        using var other = new StoreFixture();
        await other.RootAsync();
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = other.Store.RootCertPath, RootKeyFile = other.Store.RootKeyPath };
        var before = _fixture.Content();
        Assert.That((await FaultAsync()).Problems.Single().Id, Is.EqualTo("MT5110"));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    public async Task Rejects_a_users_root_that_is_an_intermediate_or_incomplete()
    {
        using var other = new StoreFixture();
        await other.OneClusterAsync();
        _fixture.Trust = _fixture.Trust with { RootCertificateFile = other.PathOf("east/ca-cert.pem"), RootKeyFile = other.PathOf("east/ca-key.pem") };
        Assert.That((await FaultAsync()).Problems.Single().Id, Is.EqualTo("MT5108"));
        _fixture.Trust = _fixture.Trust with { RootKeyFile = null };
        Assert.That((await FaultAsync()).Problems.Single().Id, Is.EqualTo("MT5109"));
        _fixture.Trust = _fixture.Trust with { RootKeyFile = other.PathOf("nothing.pem") };
        Assert.That((await FaultAsync()).Problems.Single().Id, Is.EqualTo("MT5109"));
        Assert.That(File.Exists(_fixture.Store.RootCertPath), Is.False);
    }

    [Test]
    public async Task Finishes_a_root_whose_run_was_killed_between_key_and_certificate()
    {
        var root = (await _fixture.RootAsync()).Material;
        File.Move(_fixture.Store.RootCertPath, _fixture.PathOf(".meshtrust-root-cert.pem-0123.tmp"));
        File.WriteAllText(_fixture.PathOf(".meshtrust-root-cert.pem-0000.tmp"), "half a fi");
        var outcome = await _fixture.RootAsync();
        Assert.That(outcome.Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That(outcome.Material.Certificate, Is.EqualTo(root.Certificate));
        Assert.That(Directory.GetFiles(_fixture.Store.Location, TrustStore.TemporaryPattern), Is.Empty);
    }

    [Test]
    public async Task Issues_one_root_if_several_runs_start_at_once()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(_fixture.RootAsync)));
        Assert.That(outcomes.Select(o => o.Material.Certificate.Sha256).Distinct().Count(), Is.EqualTo(1));
        Assert.That(outcomes.Count(o => o.Kind == IssueKind.Issued), Is.EqualTo(1));
    }

    [Test]
    public async Task Reports_that_a_root_is_close_to_expiry()
    {
        await _fixture.RootAsync();
        _fixture.Time.Advance(TimeSpan.FromDays(3640));
        Assert.That((await _fixture.RootAsync()).Notes.Single(), Does.Contain("plan its rotation"));
    }

    [Test]
    public async Task Stops_when_cancelled_before_anything_is_written()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.That(async () => await RootCaIssuer.EnsureAsync(_fixture.Store, _fixture.Trust, _fixture.Keys, _fixture.Time, cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(File.Exists(_fixture.Store.RootKeyPath), Is.False);
    }
}
