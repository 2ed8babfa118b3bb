using Build;
using global::Cake.Core;
using global::Cake.Core.IO;
using global::Cake.Frosting.MeshTrust;
using MeshTrust.Tests.Live;
using NSubstitute;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class RepositoryTasksTests
{
    [Test]
    public void They_work_in_the_root_of_the_repository_from_any_current_directory()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location).Context;
        ProcessSettings? settings = null;
        var process = Substitute.For<IProcess>();
        var programs = Substitute.For<IProcessRunner>();
        programs.Start(Arg.Any<FilePath>(), Arg.Do<ProcessSettings>(asked => settings = asked)).Returns(process);
        context.ProcessRunner.Returns(programs);

        new DotNetCommand(MeshSessionTests.Session(new MeshTrustOptions(), out _)).Run(context, null, "build");

        Assert.That(settings!.WorkingDirectory.FullPath, Is.EqualTo(new DirectoryPath(RepositoryRoot.Path).FullPath));
        Assert.That(Build.RepositoryRoot.At("artifacts"), Is.EqualTo(System.IO.Path.Combine(RepositoryRoot.Path, "artifacts")));
    }

    [Test]
    public void Outside_a_repository_they_say_what_to_run()
    {
        using var scratch = new ScratchDirectory();
        Assert.That(() => Build.RepositoryRoot.Find(scratch.Location), Throws.TypeOf<CakeException>().With.Message.Contains("build.sh"));
    }
}
