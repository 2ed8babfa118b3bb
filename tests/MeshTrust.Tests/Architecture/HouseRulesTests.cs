using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MeshTrust.Tests.Architecture;

/// <summary>House rules, so that no reviewer has to remember them.</summary>
[TestFixture]
public sealed class HouseRulesTests
{
    [TestCase("Org.BouncyCastle", "src/MeshTrust/Pki/")]
    [TestCase("k8s", "src/MeshTrust/Kubernetes/")]
    public void A_library_is_used_only_in_its_folder(string library, string folder)
    {
        var strangers = SourceTree.Under("src", "build")
            .Where(file => !file.Path.StartsWith(folder, StringComparison.Ordinal))
            .Where(file => Regex.IsMatch(file.Code, $@"(?<![\w.""/-]){Regex.Escape(library)}\."))
            .Concat(SourceTree.Under("src", "build")
                .Where(file => !file.Path.StartsWith(folder, StringComparison.Ordinal) && Regex.IsMatch(file.Code, $@"^using {Regex.Escape(library)}\b", RegexOptions.Multiline)));

        Assert.That(strangers, Is.Empty);
    }

    [TestCase(@"^using Cake\b|(?<![\w.""])Cake\.Core\b", "Cake")]
    [TestCase(@"\bProcessStartInfo\b|\bProcess\.Start\b", "a process")]
    [TestCase(@"(?<![\w.])Console\.(Write|Out|Error|Read|In|Set|Is)", "the console")]
    [TestCase(@"\bILogger\b", "a logger")]
    public void The_core_knows_nothing_of(string pattern, string what) =>
        Assert.That(
            SourceTree.Under("src/MeshTrust")
                .Where(file => what != "a process" || !file.Path.StartsWith("src/MeshTrust/IO/", StringComparison.Ordinal))
                .Where(file => Regex.IsMatch(file.Code, pattern, RegexOptions.Multiline)),
            Is.Empty,
            $"uses {what}");

    [Test]
    public void Time_comes_from_a_time_provider() =>
        Assert.That(
            SourceTree.Under("src").Where(file => Regex.IsMatch(file.Code, @"\bDateTime(Offset)?\.(Utc)?Now\b|\bStopwatch\.StartNew\b")),
            Is.Empty);

    [Test]
    public void Randomness_that_matters_is_cryptographic() =>
        Assert.That(
            SourceTree.Under("src/MeshTrust/Pki").Where(file => Regex.IsMatch(file.Code, @"\bRandom\.Shared\b|\bnew Random\(")),
            Is.Empty);

    [Test]
    public void Every_problem_id_has_a_row_in_the_docs()
    {
        var documented = Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/problems.md")), @"MT\d{4}").Select(m => m.Value).ToHashSet();
        var used = SourceTree.Under("src", "build")
            .SelectMany(file => Regex.Matches(file.Code, @"""(MT\d{4})[""\s:]").Select(m => m.Groups[1].Value))
            .Distinct()
            .Order();

        Assert.That(used.Except(documented), Is.Empty, "ids that docs/problems.md does not explain");
    }

    [Test]
    public void No_documented_id_is_unused()
    {
        var used = SourceTree.Under("src", "build").SelectMany(file => Regex.Matches(file.Code, @"MT\d{4}").Select(m => m.Value)).ToHashSet();
        var documented = Regex.Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "docs/problems.md")), @"^\| `?(MT\d{4})`? ", RegexOptions.Multiline)
            .Select(m => m.Groups[1].Value);

        Assert.That(documented.Except(used), Is.Empty, "rows of docs/problems.md that no code can produce");
    }

    [Test]
    public void Namespace_is_folder()
    {
        var strays =
            from file in SourceTree.Under("src")
            let folder = Path.GetDirectoryName(file.Path)!.Replace('\\', '/')["src/".Length..].Replace('/', '.')
            let match = Regex.Match(file.Text, @"^namespace ([\w.]+);", RegexOptions.Multiline)
            where !match.Success || match.Groups[1].Value != folder
            select $"{file}: {match.Groups[1].Value}";

        Assert.That(strays, Is.Empty);
    }

    [Test]
    public void A_line_has_at_most_140_columns() =>
        Assert.That(
            from file in SourceTree.Under("src", "build", "eng")
            from line in file.Text.Split('\n').Select((text, index) => (Text: text, Number: index + 1))
            where line.Text.Length > 140
            select $"{file}:{line.Number}",
            Is.Empty);

    [Test]
    public void A_file_holds_one_concept_and_is_short() =>
        Assert.That(SourceTree.Under("src").Where(file => file.Text.Count(c => c == '\n') > 350), Is.Empty);

    [Test]
    public void Only_what_a_consumer_needs_is_public()
    {
        var types = SourceTree.Under("src").Sum(file => Regex.Count(
            file.Code, @"^public (?:sealed |static |abstract |readonly |partial |ref )*(?:class|record|struct|interface|enum|delegate)\s", RegexOptions.Multiline));

        // 80, plus one for each task of the CA lifecycle: Cake finds only exported types.
        Assert.That(types, Is.InRange(40, 92));
    }

    [Test]
    public void Type_names_are_nouns_of_the_field()
    {
        var pattern = new Regex(@"\b(?:class|record|struct|interface) (\w*(?:Manager|Helper|Util|Utils|Utility|Service|Common|Adapter))\b");
        var vague = SourceTree.Under("src").SelectMany(file => pattern.Matches(file.Code).Select(m => $"{file}: {m.Groups[1].Value}"));

        Assert.That(vague, Is.Empty);
    }

    [TestCase("src/MeshTrust/MeshTrust.csproj")]
    [TestCase("src/MeshTrust.ControlPlanes/MeshTrust.ControlPlanes.csproj", "MeshTrust.csproj")]
    [TestCase("src/Cake.Frosting.MeshTrust/Cake.Frosting.MeshTrust.csproj", "MeshTrust.ControlPlanes.csproj")]
    [TestCase("build/Build.csproj", "Cake.Frosting.MeshTrust.csproj")]
    public void A_project_references_only_the_one_before_it(string project, params string[] references) =>
        Assert.That(
            XDocument.Load(Path.Combine(SourceTree.Root, project)).Descendants("ProjectReference").Select(r => Path.GetFileName(r.Attribute("Include")!.Value)),
            Is.EquivalentTo(references));
}
