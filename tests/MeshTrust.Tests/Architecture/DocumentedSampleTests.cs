using System.Text.RegularExpressions;

namespace MeshTrust.Tests.Architecture;

/// <summary>What the docs show of a sample is the sample, which the solution compiles.</summary>
[TestFixture]
public sealed class DocumentedSampleTests
{
    [Test]
    public void The_page_on_tests_shows_the_sample_as_it_is()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/kubernetes-in-dotnet-tests.md"));
        var shown = Regex.Match(page, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

        Assert.That(shown, Is.EqualTo(File.ReadAllText(Path.Combine(SourceTree.Root, "samples/kubernetes-tests/SecretTests.cs"))));
    }
}
