using Build;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;
using Microsoft.Extensions.DependencyInjection;

return new CakeHost()
    .ConfigureServices(services => services.AddSingleton<DotNetCommand>())
    .UseMeshTrust(options => (options.OtherArguments, options.RefusesUnknownArguments) = (BuildArguments.Names, true))
    .Run(args);
