using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class TopologyFileReadingTests
{
    private string _directory = "";

    [SetUp]
    public void Make() => _directory = Directory.CreateTempSubdirectory("topology").FullName;

    [TearDown]
    public void Remove()
    {
        if (_directory.Length > 0) Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public void Reads_UTF_8_without_its_byte_order_mark()
    {
        Assert.That(MeshTrustSettings.ReadFile(Write([0xEF, 0xBB, 0xBF, (byte)'k', 0xC3, 0xA4])), Is.EqualTo("kä"));
    }

    [Test]
    public void Rejects_what_is_too_large() => Assert.That(() => MeshTrustSettings.ReadFile(Write(new byte[TopologyFile.MaxBytes + 1])), Throws.InstanceOf<IOException>());

    [Test]
    public void Rejects_what_is_not_UTF_8() => Assert.That(() => MeshTrustSettings.ReadFile(Write([0xFF, 0xFE, 0x00])), Throws.InstanceOf<InvalidDataException>());

    [Test]
    public void Reports_each_as_a_problem_with_an_id()
    {
        foreach (var path in new[] { _directory, Path.Combine(_directory, "none"), Write([0xFF]) })
        {
            var fault = Assert.Throws<MeshTrustException>(() => MeshTrustSettings.Bind([new("topology", path)], new Dictionary<string, string>(), MeshTrustSettings.ReadFile, []))!;
            Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT0101"));
        }
    }

    private string Write(byte[] content)
    {
        var path = Path.Combine(_directory, Path.GetRandomFileName());
        File.WriteAllBytes(path, content);
        return path;
    }
}
