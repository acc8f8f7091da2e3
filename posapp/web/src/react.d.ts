import "react";

declare module "react" {
  interface CSSProperties {
    /** The accent of a category, for the stylesheets of tabs and tiles. */
    "--hue"?: string;
  }
}
