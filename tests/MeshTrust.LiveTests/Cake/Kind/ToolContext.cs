using global::Cake.Core;
using global::Cake.Core.IO;
using NSubstitute;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>A Cake context that finds only the given programs.</summary>
internal static class ToolContext
{
    internal static ICakeContext Of(string directory, IReadOnlyDictionary<string, string> programs)
    {
        var context = new FakeContext(directory).Context;
        context.FileSystem.Returns(new FileSystem());
        context.Environment.Returns(new CakeEnvironment(new CakePlatform(), new CakeRuntime()));
        context.Tools.Resolve(Arg.Any<IEnumerable<string>>()).Returns(call =>
            call.Arg<IEnumerable<string>>().Select(programs.GetValueOrDefault).OfType<string>().Select(path => new FilePath(path)).FirstOrDefault()!);
        return context;
    }
}
