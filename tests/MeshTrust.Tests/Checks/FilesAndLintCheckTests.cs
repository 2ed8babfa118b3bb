using MeshTrust.Checks;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class FilesAndLintCheckTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Test]
    public void A_private_key_file_passes() => Assert.That(Errors(Private), Is.Empty);

    [TestCase(Private | UnixFileMode.GroupRead)]
    [TestCase(Private | UnixFileMode.OtherRead)]
    public void A_key_file_that_others_can_read_is_an_error(UnixFileMode mode) =>
        Assert.That(Errors(mode).Select(f => f.ToString()), Has.Some.Contains("root-key.pem"));

    private static IEnumerable<Finding> Errors(UnixFileMode mode)
    {
        var mesh = CraftedMesh.Sound("east");
        mesh.Files = new TrustStoreSnapshot { Directory = "certs", Files = [new StoredFile { Path = "root-key.pem", Content = "key"u8.ToArray(), Mode = mode }] };
        return mesh.Run("MT5025").Where(f => f.Severity == Severity.Error && f.Id == "MT5025");
    }
}
