using global::Cake.Frosting.MeshTrust;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class StartupProfileTests
{
    [TestCase("startup-verify.profile", "--target=Verify")]
    [TestCase("startup-verify.profile", "--verbosity=quiet", "--TARGET=verify", "--clusters=3")]
    [TestCase("startup-clean.profile", "--target=Verify", "--target=Clean", Description = "Cake takes the last")]
    [TestCase("startup-verify.profile", "-t", "Verify")]
    [TestCase("startup.profile")]
    [TestCase("startup.profile", "--target=")]
    [TestCase("startup.profile", "--target=../../etc/passwd", Description = "a target name is never a path")]
    public void Has_one_file_for_each_target(string file, params string[] args) => Assert.That(StartupProfile.FileFor(args), Is.EqualTo(file));
}
