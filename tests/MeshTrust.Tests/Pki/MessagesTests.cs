using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Pki;

/// <summary>The wording of problems with CA material and the disk that it is on.</summary>
[Platform(Exclude = "Win", Reason = "paths and errors read differently there")]
public sealed partial class MessagesTests
{
    private static readonly ClusterName East = ClusterName.Parse("east");
    private StoreFixture _fixture = null!;
    private StoreFixture _other = null!;

    [SetUp]
    public void Begin() => (_fixture, _other) = (new StoreFixture(), new StoreFixture());

    [TearDown]
    public void End()
    {
        _fixture?.Dispose();
        _other?.Dispose();
    }

    [Test]
    public async Task Messages_match_the_golden_file() => Golden.Compare(
        "tests/MeshTrust.Tests/Pki/messages.golden.txt",
        ((IEnumerable<string>)
            [.. Roots(), .. Keys(), .. await ClusterFilesAsync(), .. await StoreAsync(), .. await OutcomesAsync(), .. Disk()])
            .Select(l => Changing().Replace(l, "...").Replace(_fixture.Temporary, "DIR", StringComparison.Ordinal)
                .Replace(_other.Temporary, "OTHER", StringComparison.Ordinal)));

    private static IEnumerable<string> Roots()
    {
        var key = TestKeys.Of(KeyAlgorithm.EcdsaP256).ToPem();
        var root = CraftedCertificate.Root();
        CraftedCertificate[] crafted =
        [
            CraftedCertificate.Root(new CraftedSpec { Ca = false }),
            CraftedCertificate.Root(new CraftedSpec { Ca = null }),
            CraftedCertificate.Root(new CraftedSpec { PathLength = 0 }),
            CraftedCertificate.Root(new CraftedSpec { Usage = 0x80 }),
            root.Sign(new CraftedSpec { Subject = ["O=Istio", "CN=Corporate CA"] }),
        ];
        string[] texts =
            [.. PemDocumentTests.Sloppy().Select(c => (string)c.Arguments[0]!), .. crafted.Select(c => c.Pem), root.Pem + root.Pem];
        // Text after the block is accepted.
        return from text in texts.Where(t => !t.EndsWith("text\n", StringComparison.Ordinal))
               from line in Lines(() => RootCa.FromFiles("root-cert.pem", Encoding.UTF8.GetBytes(text), "root-key.pem", key))
               select line;
    }

    private static IEnumerable<string> Keys()
    {
        var key = Encoding.ASCII.GetString(TestKeys.Of(KeyAlgorithm.EcdsaP256).ToPem());
        string[] texts =
        [
            "",
            key + key,
            key.Replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", StringComparison.Ordinal),
            "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n" + key,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            CraftedCertificate.Root().Pem,
        ];
        return from text in texts
               from line in Lines(() =>
                   RootCa.FromFiles("root-cert.pem", Encoding.ASCII.GetBytes(Root.Pem), "root-key.pem", Encoding.ASCII.GetBytes(text)))
               select line;
    }

    private static readonly CraftedCertificate Root = CraftedCertificate.Root();

    private async Task<IEnumerable<string>> ClusterFilesAsync()
    {
        var ours = (await _fixture.OneClusterAsync()).ToFiles();
        var foreign = (await _other.OneClusterAsync()).ToFiles();
        (string File, ReadOnlyMemory<byte>? Content)[] changes =
        [
            ("ca-cert.pem", null),
            ("ca-key.pem", foreign["ca-key.pem"]),
            ("cert-chain.pem", foreign["cert-chain.pem"]),
            ("root-cert.pem", foreign["root-cert.pem"]),
            ("root-cert.pem", ours["ca-key.pem"]),
            ("cert-chain.pem", Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(ours["ca-cert.pem"].Span) + Root.Pem)),
        ];
        return [.. changes.SelectMany(change =>
        {
            var files = ours.ToDictionary(f => f.Key, f => f.Value);
            if (change.Content is { } content) files[change.File] = content;
            else files.Remove(change.File);
            return Lines(() => ClusterCacerts.FromFiles(East, files));
        })];
    }

    private async Task<IEnumerable<string>> StoreAsync()
    {
        var lines = new List<string>();
        await _other.OneClusterAsync("west");
        using (var empty = new StoreFixture())
        {
            lines.AddRange(Lines(() => empty.Store.ReadRoot()).Select(Masked));
            lines.AddRange(Lines(() => empty.Store.ReadCacerts(East)).Select(Masked));
            var (certificate, key) = (_other.PathOf("west/ca-cert.pem"), _other.PathOf("west/ca-key.pem"));
            empty.Trust = empty.Trust with { RootCertificateFile = certificate, RootKeyFile = key };
            lines.AddRange(await LinesAsync(empty.RootAsync));
            empty.Trust = empty.Trust with { RootKeyFile = null };
            lines.AddRange(await LinesAsync(empty.RootAsync));
            empty.Trust = empty.Trust with { RootKeyFile = _other.PathOf("nothing.pem") };
            lines.AddRange(await LinesAsync(empty.RootAsync));
            string Masked(string line) => line.Replace(empty.Temporary, "DIR", StringComparison.Ordinal);
        }

        _fixture.Trust = _fixture.Trust with { RootCertificateFile = _other.Store.RootCertPath, RootKeyFile = _other.Store.RootKeyPath };
        lines.AddRange(await LinesAsync(_fixture.RootAsync));
        _fixture.Trust = StoreFixture.QuickTrust();
        var root = _fixture.Trust.Root;
        _fixture.Trust = _fixture.Trust with { Root = root with { CommonName = "Other", Days = 30, Key = KeyAlgorithm.EcdsaP384 } };
        lines.AddRange(await LinesAsync(_fixture.RootAsync));
        _fixture.Trust = StoreFixture.QuickTrust();
        var rootKey = File.ReadAllBytes(_fixture.Store.RootKeyPath);
        File.Copy(_other.Store.RootKeyPath, _fixture.Store.RootKeyPath, overwrite: true);
        lines.AddRange(await LinesAsync(_fixture.RootAsync));
        File.Delete(_fixture.Store.RootKeyPath);
        lines.AddRange(await LinesAsync(() => _fixture.ClustersAsync("east", "north")));
        File.WriteAllBytes(_fixture.Store.RootKeyPath, rootKey);
        return lines;
    }

    private async Task<IEnumerable<string>> OutcomesAsync()
    {
        var lines = new List<string>();
        await IssueAsync(() => File.Delete(_fixture.PathOf("east/cert-chain.pem")));
        await IssueAsync(() => _fixture.Trust = _fixture.Trust with { MinimalChain = true });
        await IssueAsync(() => _fixture.Trust = _fixture.Trust with { MinimalChain = false });
        await IssueAsync(() => File.Copy(_other.PathOf("west/ca-key.pem"), _fixture.PathOf("east/ca-key.pem"), overwrite: true));
        await IssueAsync(() => _fixture.Trust = _fixture.Trust with
        {
            Intermediate = _fixture.Trust.Intermediate with { CommonName = "Other CA", Days = 365, DnsNames = ["istiod.mesh.svc"] },
        });
        await IssueAsync(() => _fixture.Time.Advance(TimeSpan.FromDays(350)));
        await IssueAsync(() => _fixture.Time.Advance(TimeSpan.FromDays(400)));
        await IssueAsync(() => _fixture.Time.Advance(TimeSpan.FromDays(2880)));
        _fixture.Time.Advance(TimeSpan.FromDays(3650));
        lines.AddRange(await LinesAsync(_fixture.RootAsync));
        return lines;

        async Task IssueAsync(Action change)
        {
            change();
            var root = await _fixture.RootAsync();
            var cluster = (await _fixture.ClustersAsync("east")).Single();
            lines.AddRange(root.Notes.Select(n => $"note root: {n}"));
            lines.AddRange(cluster.Notes.Select(n => $"note east: {n}"));
            if (cluster.Reason is { } reason) lines.Add($"{cluster.Kind} east: {reason}");
        }
    }

    private IEnumerable<string> Disk()
    {
        var work = _fixture.Temporary;
        var file = Path.Combine(work, "file");
        File.WriteAllText(file, "");
        Directory.CreateDirectory(Path.Combine(work, ".git"));
        File.WriteAllText(Path.Combine(work, ".gitignore"), "bin/\n");
        var git = new GitIgnoreFile(work, Path.Combine(work, "certs"), work, work, ["east"]);
        (string Path, Exception Fault)[] faults =
        [
            ("/x/file", new IOException("No space left on device", 28)),
            ("/x/file", new UnauthorizedAccessException()),
            (work, new UnauthorizedAccessException()),
            ("/x/file", new IOException("Read-only file system", 30)),
            (Path.Combine(file, "below"), new IOException("Not a directory", 20)),
            ("/x/file", new IOException("Input/output error.", 5)),
        ];
        return faults.Select(f => DiskFault.From(Stage.Preflight, f.Path, f.Fault).Problems[0].ToString())
            .Append($"warning {git.Ensure(work)}");
    }

    private static IEnumerable<string> Lines(Action act) =>
        Assert.Throws<MeshTrustException>(() => act())!.Problems.Select(p => p.ToString());

    private static async Task<IEnumerable<string>> LinesAsync(Func<Task> act) =>
        (await Assert.ThrowsAsync<MeshTrustException>(act))!.Problems.Select(p => p.ToString());

    /// <summary>Fingerprints, identifiers of keys, and lines of files whose length differs with the signature in them.</summary>
    [GeneratedRegex(@"\b[0-9a-f]{16,}\b|(?<=[Ll]ine )\d{2,}")]
    private static partial Regex Changing();
}
