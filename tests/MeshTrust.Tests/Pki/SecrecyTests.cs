using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

/// <summary>No key text in anything that people or logs may see.</summary>
[TestFixture]
public sealed class SecrecyTests
{
    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    /// <summary>Every substring of 12 characters of the key's base64, and every key name that a dump could show.</summary>
    private static void AssertSilent(string shown, params string[] keyFiles)
    {
        foreach (var file in keyFiles)
        {
            var body = Regex.Replace(file, @"-----[A-Z ]+-----|^.*:.*$|\s", "", RegexOptions.Multiline);
            Assert.That(body, Has.Length.GreaterThan(12), "there is key text to look for");
            for (var i = 0; i + 12 <= body.Length; i += 4) Assert.That(shown, Does.Not.Contain(body.Substring(i, 12)));
        }

        Assert.That(shown, Does.Not.Contain("BEGIN PRIVATE"));
    }

    [Test]
    public async Task Types_that_hold_a_key_and_outcomes_do_not_show_it()
    {
        var root = await _fixture.RootAsync();
        var cluster = (await _fixture.ClustersAsync("east")).Single();
        var leaf = ProbeLeaf.Issue(cluster.Material.Certificate, cluster.Material.Key, ["spiffe://cluster.local/ns/a/sa/b"], _fixture.Time);
        var block = PemDocument.Parse("k", File.ReadAllBytes(_fixture.Store.RootKeyPath));
        string shown = string.Join('\n', root, root.Material, root.Material.Key, cluster, cluster.Material, cluster.Material.Key, leaf, block, block.Blocks[0], _fixture.Store);
        AssertSilent(shown, File.ReadAllText(_fixture.Store.RootKeyPath), File.ReadAllText(_fixture.PathOf("east/ca-key.pem")));
        Assert.That(root.Material.Key!.ToString(), Does.Contain("redacted"));
    }

    private static IEnumerable<TestCaseData> BrokenKeys()
    {
        var pem = Encoding.ASCII.GetString(KeyGeneration.Generate(KeyAlgorithm.Rsa2048).ToPem());
        var lines = pem.Split('\n');
        yield return Case("glued", pem.TrimEnd() + pem);
        yield return Case("twice", pem + pem);
        yield return Case("line lost", string.Join('\n', lines.Where((_, i) => i != 5)));
        yield return Case("character changed", pem.Replace(lines[8], lines[8][..20] + "*" + lines[8][21..]));
        yield return Case("bit changed", pem.Replace(lines[8], lines[8][..20] + (lines[8][20] == 'A' ? 'B' : 'A') + lines[8][21..]));
        yield return Case("cut off", pem[..800]);
        yield return Case("encrypted", pem.Replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
        yield return Case("wrong label", pem.Replace("PRIVATE KEY", "EC PRIVATE KEY"));
        yield return Case("own label", pem.Replace("PRIVATE KEY", "MY KEY"));
        yield return Case("EC PARAMETERS", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + pem);
        yield return Case("Proc-Type", pem.Replace(lines[0], lines[0] + "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n"));
        yield return Case("no lines", pem.Replace("\n", ""));
        yield return Case("BOM", "\uFEFF" + pem);
        yield return Case("key where the label should be", $"-----BEGIN {lines[5]}-----\n{pem}");
        static TestCaseData Case(string name, string text) => new TestCaseData(text).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(BrokenKeys))]
    public async Task Errors_about_broken_keys_do_not_show_it(string text)
    {
        await _fixture.OneClusterAsync();
        Assert.That(PrivateKeyPem.TryParse("key.pem", Encoding.UTF8.GetBytes(text), out _, out var reason), Is.False);
        File.WriteAllText(_fixture.PathOf("east/ca-key.pem"), text);
        var cluster = (await _fixture.ClustersAsync("east")).Single();
        Assert.That(cluster.Kind, Is.EqualTo(IssueKind.Reissued));
        File.WriteAllText(_fixture.Store.RootKeyPath, text);
        var fault = await Assert.ThrowsAsync<MeshTrustException>(_fixture.RootAsync);
        AssertSilent($"{reason}\n{fault}\n{fault!.Message}\n{fault.InnerException}\n{cluster.Reason}", text);
    }
}
