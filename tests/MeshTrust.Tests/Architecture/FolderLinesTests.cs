using System.Text.RegularExpressions;

namespace MeshTrust.Tests.Architecture;

/// <summary>Which folder may use which: rules that the compiler does not enforce.</summary>
[TestFixture]
public sealed partial class FolderLinesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["IO"] = [],
        ["Settings"] = ["IO"],
        ["Pki"] = ["IO", "Settings"],
        ["Install"] = ["IO", "Settings", "Kubeconfig"],
        ["Kubeconfig"] = ["IO", "Settings"],
        ["Kubernetes"] = ["IO", "Settings", "Pki", "Kubeconfig"],
        ["Kind"] = ["IO", "Settings", "Kubeconfig"],
        ["Verification"] = ["IO", "Settings", "Pki", "Kubeconfig", "Kubernetes"],
        ["Rotation"] = ["IO", "Settings", "Pki", "Kubeconfig", "Kubernetes", "Verification"],
        ["Checks"] = ["IO", "Settings", "Pki", "Kubeconfig", "Kubernetes", "Kind", "Verification"],
        ["Reporting"] = ["IO", "Settings", "Pki", "Kubeconfig", "Kubernetes", "Kind", "Verification", "Checks"],
    };

    public static IEnumerable<TestCaseData> Folders => Allowed.Select(line => new TestCaseData(line.Key, line.Value).SetArgDisplayNames(line.Key));

    [TestCaseSource(nameof(Folders))]
    public void A_folder_of_the_core_uses_only_folders_listed_before_it(string folder, string[] allowed)
    {
        var forbidden = Allowed.Keys.Except(allowed).Except([folder]).ToList();

        var crossings =
            from file in SourceTree.Under($"src/MeshTrust/{folder}")
            from other in forbidden
            where Uses(file, other)
            select $"{file} uses {other}";

        Assert.That(crossings, Is.Empty);
    }

    [Test]
    public void Every_folder_of_the_core_is_listed() =>
        Assert.That(
            Directory.EnumerateDirectories(Path.Combine(SourceTree.Root, "src/MeshTrust")).Select(Path.GetFileName).Except(["bin", "obj"]),
            Is.EquivalentTo(Allowed.Keys));

    [Test]
    public void The_scan_detects_a_violation()
    {
        var using1 = new SourceFile("a.cs", "using MeshTrust.Verification;\nnamespace MeshTrust.Pki;");
        var qualified = new SourceFile("b.cs", "namespace MeshTrust.Pki;\nclass X { MeshTrust.Verification.TrustProof r; }");
        var relative = new SourceFile("c.cs", "namespace MeshTrust.Pki;\nclass X { Verification.TrustProof r; }");
        var comment = new SourceFile("d.cs", "namespace MeshTrust.Pki;\n// Verification.TrustProof\n/// <see cref=\"Verification.TrustProof\"/>\nclass X;");

        Assert.Multiple(() =>
        {
            Assert.That(Uses(using1, "Verification"), Is.True);
            Assert.That(Uses(qualified, "Verification"), Is.True);
            Assert.That(Uses(relative, "Verification"), Is.True);
            Assert.That(Uses(comment, "Verification"), Is.False);
        });
    }

    private static bool Uses(SourceFile file, string folder)
    {
        if (Regex.IsMatch(file.Code, $@"\bMeshTrust\.{folder}\b")) return true;
        if (!file.Code.Contains($"{folder}.", StringComparison.Ordinal)) return false;
        var types = SourceTree.Under($"src/MeshTrust/{folder}").SelectMany(source => Declaration().Matches(source.Code)).Select(m => m.Groups[1].Value);
        return Regex.IsMatch(file.Code, $@"(?<![\w.]){folder}\.(?:{string.Join('|', types.Distinct().Select(Regex.Escape))})\b");
    }

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum) (\w+)")]
    private static partial Regex Declaration();
}
