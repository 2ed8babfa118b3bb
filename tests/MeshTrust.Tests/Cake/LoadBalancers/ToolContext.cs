using global::Cake.Core;
using global::Cake.Core.Configuration;
using global::Cake.Core.IO;
using NSubstitute;

namespace MeshTrust.Tests.Cake.LoadBalancers;

/// <summary>A Cake context that starts real programs and finds those that it was told of, nowhere else.</summary>
internal static class ToolContext
{
    internal static ICakeContext Of(string directory, IReadOnlyDictionary<string, string> programs)
    {
        var context = new FakeContext(directory).Context;
        var (files, environment) = (new FileSystem(), new CakeEnvironment(new CakePlatform(), new CakeRuntime()));
        context.FileSystem.Returns(files);
        context.Environment.Returns(environment);
        var log = context.Log;
        context.Tools.Resolve(Arg.Any<IEnumerable<string>>()).Returns(call =>
            call.Arg<IEnumerable<string>>().Select(programs.GetValueOrDefault).OfType<string>().Select(path => new FilePath(path)).FirstOrDefault()!);
        var tools = context.Tools;
        // Made beforehand: its constructor asks a substitute, which must not happen within Returns.
        var processes = new ProcessRunner(files, environment, log, tools, Substitute.For<ICakeConfiguration>());
        context.ProcessRunner.Returns(processes);
        return context;
    }
}
